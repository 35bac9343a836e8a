import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.storage.files import SourceError
from serving.online.observe_file import observe_file, observe_lines
from serving.online.user_store import UserStore
from tests.helpers.log_files import FORMATS, write_log
from tests.helpers.log_rows import HOUR, impression

CONFIG = FeatureConfig()
ROWS = [impression("anna", f"v{n}", at=n * HOUR) for n in range(3)]


@pytest.fixture
def store():
    return UserStore(None, CONFIG)


def test_json_lines_that_are_no_objects_are_rejects_by_their_text(store):
    lines = [b"", *(json.dumps(row).encode() for row in ROWS), b"[1]", b"\xff", b"{"]
    parts = list(observe_lines(store, BytesIO(b"\n".join(lines)), "app"))
    assert sum(part.counted for part in parts) == 3
    assert sum(part.rows_in for part in parts) == 6
    rejects = [row for part in parts for row in part.rejects.to_pylist()]
    assert [json.loads(row["row"])["line"] for row in rejects] == ["[1]", "\\xff", "{"]
    assert {row["reason"] for row in rejects} == {"the line is no JSON object"}
    assert {row["source"] for row in rejects} == {"app"}


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet", "avro", "orc"])
def test_a_files_name_says_its_format(store, tmp_path, suffix):
    path = tmp_path / f"today.{suffix}"
    if suffix in FORMATS:
        write_log(path, ROWS)
    else:
        path.write_text("\n".join(map(json.dumps, ROWS)))
    assert sum(part.counted for part in observe_file(store, str(path), CONFIG)) == 3


def test_a_file_that_is_missing_is_named(store, tmp_path):
    for name, error in (("none.jsonl", OSError), ("none.parquet", SourceError)):
        with pytest.raises(error, match=name):
            list(observe_file(store, str(tmp_path / name), CONFIG))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(("marks", "counted"), [(None, 0), ([], 1), (["-"], 1)])
def test_the_marks_of_missing_values_are_the_sources(
    store, tmp_path, suffix, marks, counted
):
    path = tmp_path / f"today.{suffix}"
    table = pa.Table.from_pylist([impression("None", "v", at=HOUR)])
    write = csv.write_csv if suffix == "csv" else pq.write_table
    write(table.select([c for c in table.column_names if c != "video_tags"]), path)
    given = {} if marks is None else {"null_values": marks}
    source = SourceConfig(format="csv", **given)
    parts = list(observe_file(store, str(path), CONFIG, source))
    assert sum(part.counted for part in parts) == counted
    assert sum(part.rejects.num_rows for part in parts) == 1 - counted


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_come_from_where_the_log_has_them(store, tmp_path, suffix):
    path = tmp_path / f"today.{suffix}"
    rows = {"uid": ["anna", "anna"], "item": ["v", "w"], "ts": [1_650_000_000] * 2}
    (csv.write_csv if suffix == "csv" else pq.write_table)(pa.table(rows), path)
    source = SourceConfig(
        format="csv",
        files=["part-*"],
        columns={
            "user_id": "uid",
            "video_id": "item",
            "event_time_ms": {"column": "ts", "unit": "s"},
        },
        where={"item": "w"},
    )
    parts = list(observe_file(store, str(path), CONFIG, source))
    assert sum(part.counted for part in parts) == 1
    assert store.features("anna", 1_650_000_000_001)["history_video_ids"] == ["w"]
