import base64
import json
import struct
import sys

import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.readers.delta_table import live_files
from preprocessing.sources import open_source
from preprocessing.sources.input_files import input_files, input_state
from preprocessing.storage.files import SourceError
from tests.helpers.delta_tables import write_delta

CONFIG = FeatureConfig(
    extra=[{"name": "country", "entity": "user", "type": "categorical"}]
)
# A deletion vector of row 0: Delta's number, one Roaring bitmap of key 0 with one
# container that has one value, in the letters of Z85.
_PYTHON, _Z85 = (
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    b"!#$%&()*+-;<=>?@^_`{|}~",
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    b".-:+=^!/*?&<>()[]{}@%$#",
)
_BITMAP = struct.pack("<iqIIIHHIHxx", 1681511377, 1, 0, 12346, 1, 0, 0, 16, 0)
FIRST_ROW = base64.b85encode(_BITMAP).translate(bytes.maketrans(_PYTHON, _Z85))
MAY = 1_651_363_200_000


def row(user, country="DE", **more):
    times = {"user_id": user, "video_id": "x", "event_time_ms": MAY}
    return {**times, "country": country, **more}


def build(folder, config=CONFIG, **source):
    source = SourceConfig(format="delta", **source)
    return compute_feature_table(source, config, str(folder))


def told(table, *names):
    rows = table.features.sort_by("user_id").to_pylist()
    return [tuple(each[name] for name in names) for each in rows]


def change_log(folder, change):
    """Rewrites each action of a table's log by `change(kind, action)`."""
    for path in (folder / "_delta_log").glob("*.json"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            for kind, action in line.items():
                change(kind, action)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_reads_the_rows_that_the_table_has(tmp_path):
    write_delta(tmp_path, [row("a"), row("b")])
    write_delta(tmp_path, [row("c")], mode="overwrite")
    write_delta(tmp_path, [row("d")])
    assert len(list(tmp_path.glob("*.parquet"))) == 3
    assert told(build(tmp_path), "user_id") == [("c",), ("d",)]
    assert told(build(tmp_path, version=1), "user_id") == [("a",), ("b",)]
    with pytest.raises(SourceError, match="no Delta table of version 9 in "):
        build(tmp_path, version=9)


@pytest.mark.parametrize("land", ["DE", "D/E = x", "100%", "é"])
def test_partitions_are_columns(tmp_path, land):
    write_delta(tmp_path, [row("a", land), row("b", None)], by="country")
    expected = [("a", land), ("b", None)]
    assert told(build(tmp_path), "user_id", "country") == expected
    table = build(tmp_path, where={"country": land})
    assert (table.rows_in, table.left_out) == (1, 1)


def test_partitions_need_not_stand_in_the_folders_names(tmp_path):
    write_delta(tmp_path, [row("a", "FR"), row("b", "DE")], by="country")
    (tmp_path / "country=FR").rename(tmp_path / "k8")

    def change(kind, action):
        if kind == "add":
            action["path"] = action["path"].replace("country=FR", "k8")

    change_log(tmp_path, change)
    assert told(build(tmp_path), "user_id", "country") == [("a", "FR"), ("b", "DE")]


def test_a_column_that_the_table_got_later_is_null_before(tmp_path):
    write_delta(tmp_path, [row("a")])
    write_delta(tmp_path, [row("b", stars=4)])
    config = FeatureConfig(
        labels={"good": {"column": "stars", "at_least": 4, "missing": "mask"}}
    )
    assert told(build(tmp_path, config), "user_id", "good") == [("a", None), ("b", 1)]


def test_the_state_of_the_input_is_that_of_the_version(tmp_path):
    write_delta(tmp_path, [row("a")])
    newest, first = (
        SourceConfig(format="delta"),
        SourceConfig(format="delta", version=1),
    )

    def states():
        return [input_state(each, CONFIG, str(tmp_path)) for each in (newest, first)]

    before = states()
    write_delta(tmp_path, [row("b")])
    after = states()
    assert after[0] != before[0]
    assert after[1] == before[1]
    files = input_files(newest, CONFIG, str(tmp_path))
    assert (len(files.read), files.note) == (2, "")


def test_files_with_deleted_rows_are_refused(tmp_path):
    write_delta(tmp_path, [row("a")])
    write_delta(tmp_path, [row("b")])

    def change(kind, action):
        if kind == "protocol":
            action.update(minReaderVersion=3, minWriterVersion=7)
            action.update(readerFeatures=["deletionVectors"])
            action.update(writerFeatures=["deletionVectors"])

    change_log(tmp_path, change)
    assert len(told(build(tmp_path), "user_id")) == 2

    def delete(kind, action):
        if kind == "add":  # the first row of each, noted within the log
            action["deletionVector"] = {
                "storageType": "i",
                "pathOrInlineDv": FIRST_ROW.decode(),
                "sizeInBytes": 34,
                "cardinality": 1,
            }

    change_log(tmp_path, delete)
    with pytest.raises(SourceError, match="2 files with deletion vectors"):
        build(tmp_path)


def test_columns_of_other_names_in_the_files_are_refused(tmp_path):
    write_delta(tmp_path, [row("a")])

    def change(kind, action):
        if kind == "metaData":
            action["configuration"] = {"delta.columnMapping.mode": "name"}
            schema = json.loads(action["schemaString"])
            for number, field in enumerate(schema["fields"]):
                field["metadata"] = {
                    "delta.columnMapping.id": number,
                    "delta.columnMapping.physicalName": f"col-{number}",
                }
            action["schemaString"] = json.dumps(schema)
        if kind == "protocol":
            action.update(minReaderVersion=2, minWriterVersion=5)

    change_log(tmp_path, change)
    with pytest.raises(SourceError, match=r"delta\.columnMapping\.mode"):
        build(tmp_path)


def test_a_table_without_rows_is_named(tmp_path):
    write_delta(tmp_path, [row("a")])
    write_delta(tmp_path, [], mode="overwrite")
    with pytest.raises(SourceError, match=f"{tmp_path} has no rows"):
        build(tmp_path)


@pytest.mark.parametrize("place", ["nowhere", "plain"])
def test_a_folder_without_a_table_is_named(tmp_path, place):
    pytest.importorskip("deltalake")
    (tmp_path / "plain").mkdir()
    with pytest.raises(SourceError, match=f"no Delta table in .*{place}"):
        live_files(str(tmp_path / place), None)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(SourceError, match=r"pip install 'poso\[delta\]'"):
        open_source(SourceConfig(format="delta"), CONFIG, tmp_path).parts()
