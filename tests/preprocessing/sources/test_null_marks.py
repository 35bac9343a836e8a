"""Marks of "no value", and printed lists, in formats that have nulls and lists."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.sources.null_marks import without_null_marks

MARKS = SourceConfig(format="csv").null_values
CONFIG = FeatureConfig(
    extra=[{"name": "country", "entity": "user", "type": "categorical"}]
)


def row(user, **values):
    time_ms = 1_650_000_000_000
    known = {"video_id": "v", "author_id": "a", "country": "DE", "video_tags": ["t"]}
    return {"user_id": user, "event_time_ms": time_ms, **known, **values}


def build(folder, kind, rows, **settings):
    table = pa.Table.from_pylist(rows)
    if kind == "parquet":
        pq.write_table(table, folder / "log.parquet")
    else:
        with tf.io.TFRecordWriter(str(folder / "log.tfrecord")) as writer:
            for example in encode_examples(table):
                writer.write(example)
    source = SourceConfig(format=kind, **settings)
    built = compute_feature_table(source, CONFIG, str(folder))
    features = {row["user_id"]: row for row in built.features.to_pylist()}
    return features, built.summary.by_reason


@pytest.mark.parametrize("kind", ["parquet", "tfrecord"])
@pytest.mark.parametrize("mark", [*MARKS, ""])
def test_a_null_mark_is_missing_in_every_format(tmp_path, kind, mark):
    rows = [row(mark), row("u", author_id=mark, country=mark), row(f"u{mark}x")]
    features, reasons = build(tmp_path, kind, rows)
    assert reasons == {"user_id is missing": 1}
    assert features["u"]["author_id"] is None
    assert features["u"]["country"] is None
    assert features[f"u{mark}x"]["country"] == "DE"


@pytest.mark.parametrize("kind", ["parquet", "tfrecord"])
def test_marks_are_those_that_the_configuration_names(tmp_path, kind):
    rows = [row("None"), row("-"), row("u", country="-", author_id="nan")]
    features, reasons = build(tmp_path, kind, rows, null_values=["-"])
    assert reasons == {"user_id is missing": 1}
    assert features.keys() == {"None", "u"}
    assert features["u"]["country"] is None
    assert features["u"]["author_id"] == "nan"
    features, _ = build(tmp_path, kind, rows, null_values=[])
    assert features.keys() == {"None", "-", "u"}


def test_marks_are_found_in_every_text_type_and_nowhere_else():
    texts = pa.array(["NULL", "x", None])
    table = pa.table(
        {
            "text": texts,
            "large": texts.cast(pa.large_string()),
            "bytes": texts.cast(pa.binary()),
            "dictionary": texts.dictionary_encode(),
            "number": [1, 2, None],
            "list": [["NULL"], ["x"], None],
        }
    )
    found = without_null_marks(table, ["NULL", "1"])
    for name in ("text", "large", "dictionary"):
        assert found[name].to_pylist() == [None, "x", None]
    assert found["bytes"].to_pylist() == [None, b"x", None]
    assert found["number"].to_pylist() == [1, 2, None]
    assert found["list"].to_pylist() == [["NULL"], ["x"], None]
    assert without_null_marks(table, []) is table


PRINTED = {
    "['x', 'y']": ["x", "y"],
    '["x", "y"]': ["x", "y"],
    "['x' 'y']": ["x", "y"],
    "['x, y']": ["x, y"],
    "[live]": ["[live]"],
    "x,y": ["x,y"],
    "['x', ['y']]": ["['x', ['y']]"],
}


@pytest.mark.parametrize("kind", ["parquet", "tfrecord"])
def test_a_list_whose_only_entry_is_a_printed_list_is_that_list(tmp_path, kind):
    rows = [row(f"u{i}", video_tags=[cell]) for i, cell in enumerate(PRINTED)]
    rows.append(row("two", video_tags=["['x', 'y']", "z"]))
    features, reasons = build(tmp_path, kind, rows)
    assert reasons == {}
    tags = [features[f"u{i}"]["video_tags"] for i in range(len(PRINTED))]
    assert tags == list(PRINTED.values())
    assert features["two"]["video_tags"] == ["['x', 'y']", "z"]


def test_a_text_column_of_parquet_is_read_as_lists(tmp_path):
    cells = {"a": "['x', 'y']", "b": "x,y", "c": "", "d": None, "e": "[['x']]"}
    rows = [row(user, video_tags=cell) for user, cell in cells.items()]
    features, reasons = build(tmp_path, "parquet", rows)
    tags = {user: found["video_tags"] for user, found in features.items()}
    assert tags["a"] == tags["b"] == ["x", "y"]
    assert not tags["c"]
    assert tags["d"] is None
    assert reasons == {"video_tags is no flat list in a notation that is read": 1}
