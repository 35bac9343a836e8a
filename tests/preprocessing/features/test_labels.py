import pyarrow as pa
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.features.columns import feature_schema
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


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ({"rule": "long_view"}, [1, None, None, None, 0]),
        ({"rule": "finish_view"}, [1, None, None, None, 0]),
        ({"column": "play_time_ms", "at_least": 7}, [1, None, 0, None, 0]),
        ({"column": "stars", "at_least": 4}, [1, 0, None, 1, None]),
        ({"column": "clicked"}, [1, 0, None, None, 1]),
    ],
)
def test_a_label_is_null_where_one_of_its_columns_is(label, expected):
    columns = {
        "play_time_ms": pa.array([9, None, 0, None, 0], pa.int64()),
        "video_duration_ms": pa.array([9, 0, None, None, 9], pa.int64()),
        "stars": pa.array([4, 3.5, None, 5, None], pa.float32()),
        "clicked": pa.array([1, 0, None, None, 1], pa.int64()),
    }
    masked = {"label": {**label, "missing": "mask"}}
    assert labels_of(columns, masked) == {"label": expected}


@pytest.mark.parametrize("rows", [0, 3])
def test_labels_are_whole_numbers_without_nulls(rows):
    config = FeatureConfig(labels={"finish_view": {"rule": "finish_view"}})
    numbers = pa.array([1] * rows, pa.int64())
    table = pa.table({"play_time_ms": numbers, "video_duration_ms": numbers})
    field = add_labels(table, config).schema.field("finish_view")
    assert (field.type, field.nullable) == (pa.int64(), False)


@pytest.mark.parametrize("name", ["clicked", "is_like", "click"])
def test_a_masked_label_may_be_null_whatever_column_it_is_read_from(name):
    column = name if name != "click" else "clicked"
    labels = {name: {"column": column, "missing": "mask"}}
    field = feature_schema(FeatureConfig(labels=labels)).field(name)
    assert (field.type, field.nullable) == (pa.int64(), True)
