import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from hypothesis import given, settings

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.readers import tfrecord
from preprocessing.storage.files import SourceError
from tests.helpers import fake_store
from tests.helpers.log_rows import LABELS, in_order, log_table, logs

SOURCE = SourceConfig(format="tfrecord")
CONFIG = FeatureConfig(labels=LABELS, shards=3)
ROW = {
    "user_id": "a",
    "video_id": "x",
    "event_time_ms": 1_650_000_000_000,
    "play_time_ms": 1,
    "video_duration_ms": 1,
    "is_like": 0,
}


def feature(values):
    values = values if isinstance(values, list) else [values]
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    content = [v if isinstance(v, bytes) else v.encode() for v in values]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=content))


def write(path, *rows, gzip=False):
    with tf.io.TFRecordWriter(str(path), "GZIP" if gzip else "") as writer:
        for row in rows:
            features = {k: feature(v) for k, v in row.items() if v is not None}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def build(folder, config=CONFIG):
    return compute_feature_table(SOURCE, config, str(folder))


@settings(max_examples=10)
@given(log=logs.filter(len))
def test_examples_give_what_parquet_gives(tmp_path_factory, log):
    folder = tmp_path_factory.mktemp("log")
    table = log_table(log, CONFIG)
    pq.write_table(table, folder / "log.parquet")
    with tf.io.TFRecordWriter(str(folder / "log.tfrecord")) as writer:
        for example in encode_examples(table):
            writer.write(example)
    ours = build(folder)
    parquet = compute_feature_table(SourceConfig(format="parquet"), CONFIG, str(folder))
    # An empty list and a list that is not there are one in a tf.Example.
    assert without_tags(ours) == without_tags(parquet)


def without_tags(built):
    return in_order(built.features.drop(["video_tags"]).to_pylist())


def test_ids_may_be_numbers_and_files_compressed(tmp_path):
    write(tmp_path / "a.tfrecord", {**ROW, "user_id": 712, "video_tags": ["s", "t"]})
    write(tmp_path / "b.tfrecord.gz", {**ROW, "author_id": "é"}, gzip=True)
    rows = {row["user_id"]: row for row in build(tmp_path).features.to_pylist()}
    assert rows["712"]["video_tags"] == ["s", "t"]
    assert rows["a"]["author_id"] == "é"
    assert rows["a"]["video_tags"] is None


def test_a_feature_that_an_example_lacks_is_missing(tmp_path):
    write(tmp_path / "a.tfrecord", ROW, {**ROW, "user_id": None}, {**ROW, "is_like": 7})
    built = build(tmp_path)
    assert built.summary.by_reason == {
        "is_like is not 0 or 1": 1,
        "user_id is missing": 1,
    }


def test_bytes_that_are_no_text_cost_a_row(tmp_path):
    write(tmp_path / "a.tfrecord", ROW, {**ROW, "user_id": b"\xff\x00"})
    built = build(tmp_path)
    assert built.summary.by_reason == {"user_id is not UTF-8 text": 1}
    assert r"\\xff\u0000" in built.rejects["row"][0].as_py()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**ROW, "video_id": None}], "column 'video_id' is missing"),
        ([{**ROW, "user_id": ["a", "b"]}], "column 'user_id' has an example with 2"),
        ([{"other": 1}], r"has none of the columns. Received: other"),
        ([ROW, {**ROW, "event_time_ms": "now"}], "'?event_time_ms"),
        ([{**ROW, "is_like": "no"}], "column 'is_like' has an unusable type"),
    ],
)
def test_a_wrong_column_is_named(tmp_path, rows, message):
    write(tmp_path / "a.tfrecord", *rows)
    with pytest.raises(SourceError, match=rf"a\.tfrecord.*{message}"):
        build(tmp_path)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "a.tfrecord"
    write(path, *[ROW] * 10)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(SourceError, match=r"a\.tfrecord is no whole TFRecord"):
        build(tmp_path)
    path.write_bytes(b"junk" * 100)
    with pytest.raises(SourceError, match=r"a\.tfrecord is no whole TFRecord"):
        build(tmp_path)


def test_files_of_an_object_store_are_read(tmp_path):
    fake_store.FILES.clear()
    write(tmp_path / "a.tfrecord", ROW)
    fake_store.FILES["fake://b/a.tfrecord"] = (tmp_path / "a.tfrecord").read_bytes()
    assert build("fake://b").rows_in == 1


def test_lists_of_a_column_become_its_values(tmp_path):
    config = FeatureConfig(
        extra=[{"name": "speed", "entity": "context", "type": "numeric"}]
    )
    table = pa.table({**{k: [v] for k, v in ROW.items()}, "speed": [1.5]})
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        writer.write(encode_examples(table)[0])
    assert build(tmp_path, config).features["speed"].to_pylist() == [1.5]


COUNTRY = {"name": "country", "entity": "user", "type": "categorical"}


def test_a_file_whose_examples_lack_an_optional_feature_is_read(tmp_path):
    config = FeatureConfig(labels=LABELS, extra=[COUNTRY])
    write(tmp_path / "a.tfrecord", {**ROW, "country": "de"})
    write(tmp_path / "b.tfrecord", {**ROW, "user_id": "b"})
    features = build(tmp_path, config).features.sort_by("user_id")
    assert features["country"].to_pylist() == ["de", None]


def test_an_optional_feature_may_come_late(tmp_path, monkeypatch):
    monkeypatch.setattr(tfrecord, "_BATCH_ROWS", 2)
    config = FeatureConfig(labels=LABELS, extra=[COUNTRY])
    rows = [{**ROW, "user_id": f"u{i}"} for i in range(5)]
    write(tmp_path / "a.tfrecord", *rows, {**ROW, "country": "de"})
    features = build(tmp_path, config).features.sort_by("user_id")
    assert features["country"].to_pylist() == ["de", *[None] * 5]


def test_a_feature_that_no_example_has_is_named(tmp_path):
    config = FeatureConfig(labels=LABELS, extra=[COUNTRY])
    write(tmp_path / "a.tfrecord", ROW)
    with pytest.raises(SourceError, match="has the feature country"):
        build(tmp_path, config)
