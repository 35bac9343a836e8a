"""Rows without some of their labels: in every source, by every engine, and online."""

import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.engine.write_table import write_feature_table
from serving.online import UserStore
from tests.helpers.log_rows import MASKED_LABELS, impression, in_order, log_table

CONFIG = FeatureConfig(labels=MASKED_LABELS, shards=3, max_reject_rate=0)
ROWS = [
    impression(
        user=f"u{i % 5}",
        video=f"v{i % 7}",
        at=i * 1000,
        is_like=(0, 1, None)[i % 3],
        play_time_ms=(None, 3, 9, 10)[i % 4],
        video_duration_ms=None if i % 11 == 0 else 10,
    )
    for i in range(60)
]
BEAM = ["--direct_running_mode=in_memory"]


def write_log(folder, kind, rows=ROWS):
    folder.mkdir(parents=True)
    table = log_table(rows, CONFIG)
    if kind == "parquet":
        pq.write_table(table, folder / "log.parquet")
    elif kind == "csv":
        frame = table.to_pandas(integer_object_nulls=True)
        frame["video_tags"] = frame["video_tags"].map(",".join)
        frame.to_csv(folder / "log.csv", index=False, na_rep="\\N")
    else:
        with tf.io.TFRecordWriter(str(folder / "log.tfrecord")) as writer:
            for example in encode_examples(table):
                writer.write(example)
    return str(folder)


def read(folder):
    return in_order(pq.read_table(folder).to_pylist())


@pytest.mark.parametrize("kind", ["parquet", "csv", "tfrecord"])
@pytest.mark.parametrize(
    "engine",
    [
        pytest.param({"threads": 2}, id="threads"),
        pytest.param({"beam_args": BEAM}, id="beam", marks=pytest.mark.e2e),
    ],
)
def test_every_row_counts_and_lacks_its_own_labels_alone(tmp_path, kind, engine):
    source = SourceConfig(format=kind)
    log, out = write_log(tmp_path / "log", kind), tmp_path / "out"
    summary = write_feature_table(source, CONFIG, log, str(out), **engine)
    assert (summary.examples, summary.rejects) == (60, 0)
    features = sorted(read(out / "features"), key=lambda row: row["event_time_ms"])
    assert [row["like"] for row in features] == [row["is_like"] for row in ROWS]
    assert [row["watched"] for row in features] == [None, 0, 1, 1] * 15
    views = [
        None if None in (play, length) else int(play * 100 >= length * 60)
        for play, length in (
            (row["play_time_ms"], row["video_duration_ms"]) for row in ROWS
        )
    ]
    assert [row["long_view"] for row in features] == views
    assert [row["avc"] for row in features] == [i // 5 for i in range(60)]
    expected = compute_feature_table(source, CONFIG, log)
    assert read(out / "features") == in_order(expected.features.to_pylist())
    state = in_order(expected.user_state.to_pylist())
    assert read(out / "state/user_state") == state


def test_a_store_of_users_counts_them_as_the_engine_does(tmp_path):
    source = SourceConfig(format="parquet")
    for name, rows in (("whole", ROWS), ("first", ROWS[:30])):
        log = write_log(tmp_path / name, "parquet", rows)
        write_feature_table(source, CONFIG, log, str(tmp_path / f"{name}-out"))
    online = UserStore(str(tmp_path / "first-out"), CONFIG)
    assert online.observe(ROWS[30:]).counted == 30
    whole = UserStore(str(tmp_path / "whole-out"), CONFIG)
    later = ROWS[-1]["event_time_ms"] + 1000
    for user in range(5):
        features = online.features(f"u{user}", time_ms=later)
        assert features == whole.features(f"u{user}", time_ms=later)
        assert features["avc"] == 12
