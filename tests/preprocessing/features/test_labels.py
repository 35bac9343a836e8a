import pyarrow as pa
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.features.labels import add_labels

WATCHED = {"play_time_ms": [0, 59, 60, 99, 100], "video_duration_ms": [0, *[100] * 4]}


def labels_of(columns, labels):
    table = add_labels(pa.table(columns), FeatureConfig(labels=labels))
    return {name: table[name].to_pylist() for name in labels}


def test_watching_rules_hold_at_their_limits():
    labels = {
        "long_view": {"rule": "long_view", "percent": 60},
        "finish_view": {"rule": "finish_view"},
    }
    assert labels_of(WATCHED, labels) == {
        "long_view": [1, 0, 1, 1, 1],
        "finish_view": [1, 0, 0, 0, 1],
    }


def test_a_threshold_holds_at_its_limit():
    ratings = {"rating": pa.array([3.5, 4.0, 4.5], pa.float32())}
    labels = {"satisfied": {"column": "rating", "at_least": 4}}
    assert labels_of(ratings, labels) == {"satisfied": [0, 1, 1]}


def test_a_column_may_be_a_label_under_another_name():
    columns = {"is_like": pa.array([0, 1], pa.int64())}
    assert labels_of(columns, {"like": {"column": "is_like"}}) == {"like": [0, 1]}


def test_a_column_of_the_labels_name_is_the_label():
    columns = {"clicked": pa.array([0, 1], pa.int64())}
    config = FeatureConfig(labels={"clicked": {"column": "clicked"}})
    assert add_labels(pa.table(columns), config).column_names == ["clicked"]


@pytest.mark.parametrize("rows", [0, 3])
def test_labels_are_whole_numbers_without_nulls(rows):
    config = FeatureConfig(labels={"finish_view": {"rule": "finish_view"}})
    numbers = pa.array([1] * rows, pa.int64())
    table = pa.table({"play_time_ms": numbers, "video_duration_ms": numbers})
    field = add_labels(table, config).schema.field("finish_view")
    assert (field.type, field.nullable) == (pa.int64(), False)
