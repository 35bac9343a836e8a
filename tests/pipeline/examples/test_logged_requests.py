"""Logged requests become the examples that the same rows are in the pipeline."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.examples.logged_requests import ServedColumns, newest_candidates
from pipeline.examples.serving_log_files import serving_log_files, serving_logs_state
from pipeline.examples.statistics import examples_statistics
from pipeline.model.export import raw_columns
from tests.helpers.exported_requests import dense
from tests.helpers.request_logs import predict_log, rank_log, rows_log, write_log
from tests.helpers.small_transform import analyzed_rows, feature_row, settings_with

CONFIG = settings_with()
COLUMNS = ServedColumns.of(CONFIG)
ROWS = analyzed_rows()
# What a candidate of a `rank` request has of its own.
OF_VIDEO = [column.name for column in raw_columns(CONFIG) if column.candidate]


@pytest.fixture
def read(tmp_path):
    """The candidates of files with these records, by name."""

    def run(count=1000, **files):
        for name, records in files.items():
            write_log(tmp_path / f"{name}.tfrecord", records)
        found = serving_log_files(str(tmp_path))
        return newest_candidates(found, "ranker", COLUMNS, count)

    return run


def statistics(examples):
    return examples_statistics(examples, COLUMNS.fields)


def avc_of(found):
    parsing = {"avc": tf.io.FixedLenFeature([], tf.int64)}
    return tf.io.parse_example(found.examples, parsing)["avc"].numpy().tolist()


def test_the_columns_are_those_of_the_model_without_histories_and_labels():
    names = {field.name for field in COLUMNS.fields}
    assert {"user_id", "video_tags", "country", "loudness", "battery", "avc"} <= names
    assert names <= {column.name for column in raw_columns(CONFIG)}
    left_out = {"like", "long_view", "play_time_ms", "event_time_ms", "user_group"}
    assert not names & (left_out | {"history_video_ids", "history_gap_ms"})


@pytest.mark.parametrize("signature", ["predict_raw", "serving_default", "both"])
def test_rows_that_were_asked_have_the_statistics_of_the_same_examples(
    read, small_transform, signature
):
    examples = small_transform.examples(ROWS)
    half = {"predict_raw": 25, "serving_default": 0, "both": 12}[signature]
    records = [rows_log(CONFIG, ROWS[:half])] if half else []
    if half < len(ROWS):
        records.append(predict_log({"examples": examples[half:]}))
    found = read(log=records)
    assert found.requests == len(records)
    assert statistics(found.examples) == statistics(examples)


def test_the_user_of_a_rank_request_counts_for_each_candidate(read, small_transform):
    videos = [{name: row.get(name) for name in OF_VIDEO} for row in ROWS]
    users = [ROWS[7], {**ROWS[10], "country": None, "hours_since_first_launch": None}]
    found = read(log=[rank_log(CONFIG, user, videos) for user in users])
    expected = [{**user, **video} for user in users for video in videos]
    assert (found.requests, len(found.examples)) == (2, 2 * len(ROWS))
    same = small_transform.examples(expected)
    assert statistics(found.examples) == statistics(same)


def test_a_negative_age_is_missing_and_a_negative_number_is_none(read, small_transform):
    inputs = dense(raw_columns(CONFIG), [feature_row(loudness=-3.0)])
    inputs["video_age_hours"] = tf.constant([-1.0])
    found = read(log=[predict_log(inputs)])
    expected = small_transform.examples([feature_row(loudness=-3.0)])
    assert statistics(found.examples) == statistics(expected)


def test_a_column_that_a_request_lacks_is_missing(read, small_transform):
    inputs = dense(raw_columns(CONFIG), [feature_row(country="CN", topics=["x"])])
    for name in ("country", "topics", "avc"):
        del inputs[name]
    found = read(log=[predict_log(inputs)])
    features = tf.train.Example.FromString(found.examples[0]).features.feature
    assert not {"country", "topics", "avc"} & set(features)
    assert features["video_id"].bytes_list.value == [b"v0"]


def request_of(*numbers):
    return rows_log(CONFIG, [feature_row(avc=number) for number in numbers])


def test_the_newest_candidates_are_taken(read):
    files = {
        "requests-2": [request_of(5, 6), request_of(7), request_of(8)],
        "requests-1": [request_of(1), request_of(2, 3, 4)],
    }
    for count, expected in {
        2: [7, 8],
        3: [6, 7, 8],
        5: [4, 5, 6, 7, 8],
        100: [1, 2, 3, 4, 5, 6, 7, 8],
    }.items():
        found = read(count, **files)
        assert sorted(avc_of(found)) == expected
    assert found.requests == 5
    assert read(2, **files).requests == 2


def test_a_request_without_candidates_has_none(read):
    found = read(log=[rank_log(CONFIG, ROWS[0], []), request_of(1)])
    assert (found.requests, avc_of(found)) == (2, [1])


def test_what_cannot_be_read_is_left_out_and_counted(read):
    columns = dense(raw_columns(CONFIG), [feature_row(), feature_row()])
    classify = prediction_log_pb2.PredictionLog()
    classify.classify_log.request.model_spec.name = "ranker"
    unreadable = [
        classify.SerializeToString(),
        b"no message",
        predict_log({"x": [1.0]}),
        predict_log({**columns, "avc": [1, 2, 3]}),
        predict_log({**columns, "avc": [[1], [2]]}),
        predict_log({**columns, "avc": [1.0, 2.0]}),
        predict_log({"examples": [b"no example"]}),
        predict_log({"examples": [1, 2]}),
    ]
    other = rows_log(CONFIG, [feature_row()], model="other")
    found = read(log=[*unreadable, other, request_of(9)])
    assert (found.unreadable, found.other_models) == (len(unreadable), 1)
    assert avc_of(found) == [9]
    assert found.damaged == []


def test_a_damaged_file_is_read_as_far_as_it_goes_and_named(read, tmp_path):
    write_log(tmp_path / "b.tfrecord", [request_of(1)])
    half = (tmp_path / "b.tfrecord").read_bytes()[:-3]
    (tmp_path / "b.tfrecord").write_bytes(half)
    found = read(a=[request_of(2)])
    assert avc_of(found) == [2]
    [line] = found.damaged
    assert line.startswith("b.tfrecord is no whole TFRecord file")


def test_whole_files_are_found_by_time_in_the_folders_of_several_servers(tmp_path):
    for name in ("b/requests-1.tfrecord", "a/requests-2.tfrecord"):
        write_log(tmp_path / name, [])
    write_log(tmp_path / "a" / "requests-3.tfrecord.unfinished", [])
    names = [file.name for file in serving_log_files(str(tmp_path))]
    assert names == ["b/requests-1.tfrecord", "a/requests-2.tfrecord"]
    assert serving_log_files(str(tmp_path / "none")) is None


def test_the_state_changes_with_the_files(tmp_path):
    states = [serving_logs_state(str(tmp_path / "logs"))]
    (tmp_path / "logs").mkdir()
    states.append(serving_logs_state(str(tmp_path / "logs")))
    for name, records in (("a", []), ("b", []), ("a", [b"x"])):
        write_log(tmp_path / "logs" / f"{name}.tfrecord", records)
        states.append(serving_logs_state(str(tmp_path / "logs")))
    assert len(set(states)) == len(states)
    write_log(tmp_path / "logs" / "c.tfrecord.unfinished", [b"x"])
    assert serving_logs_state(str(tmp_path / "logs")) == states[-1]


def test_columns_of_a_request_are_of_any_number_of_rows(read, small_transform):
    rows = [feature_row(user_id=f"u{n}", topics=["x"] * (n % 3)) for n in range(50)]
    found = read(log=[rows_log(CONFIG, rows[:1]), rows_log(CONFIG, rows[1:])])
    assert statistics(found.examples) == statistics(small_transform.examples(rows))
    assert np.unique(found.examples).size == 50
