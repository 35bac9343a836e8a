"""Logs whose rows hold lists of impressions."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.sources import log_source, open_source
from preprocessing.storage.files import SourceError
from tests.helpers.log_files import FORMATS, write_log, write_logs
from tests.helpers.log_rows import in_order
from tests.helpers.mapped_logs import COLUMNS, CONFIG, MAY, ROWS, build, rejected, shown

ENTRIES = [
    {"uid": "a", "ts": 1_651_363_200, "shown": "N1-0 N2-1 N3-0"},
    {"uid": "b", "ts": 1_651_363_201, "shown": "N1-1"},
    {"uid": "c", "ts": 1_651_363_202, "shown": ""},
    {"uid": "d", "ts": 1_651_363_203, "shown": "N1 N2-0"},
]
MIND = {
    "columns": {
        "user_id": "uid",
        "event_time_ms": {"column": "ts", "unit": "s"},
        "is_like": "clicked",
    },
    "explode": {"column": "shown", "fields": ["video_id", "clicked"]},
}
LIKES = FeatureConfig(labels={"like": {"column": "is_like"}}, max_reject_rate=1.0)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_list_of_impressions_becomes_rows(tmp_path, kind):
    write_logs(tmp_path, kind, {"log": ENTRIES})
    table = build(tmp_path, kind, LIKES, **MIND)
    found = sorted(shown(table, "like"))
    assert found == [
        ("a", "N1", MAY, 0),
        ("a", "N2", MAY, 1),
        ("a", "N3", MAY, 0),
        ("b", "N1", MAY + 1000, 1),
        ("d", "N2", MAY + 3000, 0),
    ]
    reasons = rejected(table)
    assert table.rows_in == 7
    assert reasons["shown has no impressions"]["user_id"] == "c"
    assert (
        reasons["shown has an entry that is not video_id-clicked"]["video_id"] == "N1"
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_entries_of_a_list_may_be_left_out(tmp_path, kind):
    write_logs(tmp_path, kind, {"log": ENTRIES[:2]})
    table = build(tmp_path, kind, LIKES, **MIND, where={"clicked": 1})
    assert [row[:2] for row in shown(table)] == [("a", "N2"), ("b", "N1")]
    assert (table.rows_in, table.left_out) == (2, 2)


@pytest.mark.parametrize("kind", ["parquet", "tfrecord"])
def test_entries_may_be_a_list_of_the_format(tmp_path, kind):
    rows = [{**row, "shown": row["shown"].split()} for row in ENTRIES[:2]]
    write_logs(tmp_path, kind, {"log": rows})
    table = build(tmp_path, kind, LIKES, **MIND)
    assert table.features.num_rows == table.rows_in == 4


def test_entries_may_be_structures(tmp_path):
    entries = [{"video_id": 1, "clicked": 0, "place": 1}, {"video_id": 2, "clicked": 1}]
    write_logs(tmp_path, "parquet", {"log": [{**ENTRIES[0], "shown": entries}]})
    table = build(tmp_path, "parquet", LIKES, **MIND)
    assert sorted(row[1] for row in shown(table)) == ["1", "2"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_field_of_entries_is_no_column_of_the_file(tmp_path, kind):
    write_log(tmp_path / f"log.{kind}", ROWS)
    entries = {"column": "nation", "fields": ["item"]}
    source = SourceConfig(format=kind, columns=COLUMNS, explode=entries)
    with pytest.raises(SourceError, match="'item', which is also one of"):
        open_source(source, CONFIG, str(tmp_path)).parts()


def test_rows_of_exploded_row_groups_have_numbers_of_their_own(tmp_path):
    rows = [{**ENTRIES[0], "shown": "N1-0 N1-0 N1-0"}, {**ENTRIES[0], "shown": "N1-0"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=1)
    log = open_source(SourceConfig(format="parquet", **MIND), LIKES, str(tmp_path))
    first = [raw.first_row for part in log.parts() for raw in log.read(part)]
    assert first == [0, 1 << 20]
    table = build(tmp_path, "parquet", LIKES, **MIND)
    assert (table.rows_in, table.features.num_rows) == (4, 1)
    assert in_order(table.features.to_pylist())[0]["video_id"] == "N1"


@pytest.mark.parametrize("kind", FORMATS)
def test_rows_are_exploded_some_at_a_time(tmp_path, kind, monkeypatch):
    write_logs(tmp_path, kind, {"log": ENTRIES})
    whole = build(tmp_path, kind, LIKES, **MIND)
    monkeypatch.setattr(log_source, "_EXPLODED_ROWS", 2)
    source = SourceConfig(format=kind, **MIND)
    log = open_source(source, LIKES, str(tmp_path))
    pieces = [raw for part in log.parts() for raw in log.read(part)]
    assert [(p.table.num_rows, p.first_row) for p in pieces] == [(4, 0), (3, 2 << 20)]
    again = build(tmp_path, kind, LIKES, **MIND)
    assert again.features.equals(whole.features)
    assert again.rejects.equals(whole.rejects)


def test_a_line_that_is_lost_counts_once_among_exploded_rows(tmp_path):
    (tmp_path / "log.csv").write_text("uid,ts,shown\na,1651363200,N1-0 N2-1\na\n")
    table = build(tmp_path, "csv", LIKES, **MIND)
    assert (table.rows_in, table.features.num_rows) == (3, 2)


def test_bytes_that_are_no_text_cost_their_rows_alone(tmp_path):
    (tmp_path / "log.csv").write_bytes(
        b"uid,ts,shown\n\xff,1651363200,N\xff-0 N2-1\na,\xff,N1-1\na,1651363200,N1-1\n"
    )
    table = build(tmp_path, "csv", LIKES, **MIND)
    assert table.features.num_rows == 1
    assert table.summary.by_reason == {
        "user_id is not UTF-8 text": 2,
        "event_time_ms: ts is no number of s, or too large": 1,
    }
