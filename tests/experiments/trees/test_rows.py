"""The expected numbers are written down by hand."""

import numpy as np
import pyarrow as pa
import pytest

from experiments.trees.inputs import tree_features
from experiments.trees.rows import TreeRowReader
from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.contract.column_names import UNKNOWN_LABEL
from preprocessing.contract.config import FeatureConfig
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.features.columns import feature_schema
from tests.helpers.small_transform import (
    HOUR_MS,
    feature_row,
    settings_with,
    write_examples,
)

NAN = float("nan")
CONFIG = settings_with().features
START = 19_000 * MS_PER_DAY
ROWS = [
    feature_row(
        user_id="u1",
        video_id="v1",
        event_time_ms=START,
        author_id="a",
        video_tags=["t", "s"],
        video_age_hours=2.5,
        avc=3,
        history_video_ids=["v1", "v2", "v1"],
        history_author_ids=["a", "", "b"],
        history_tags=["s", "t", "t"],
        history_gap_ms=[9 * HOUR_MS, HOUR_MS, HOUR_MS // 2],
        country="CN",
        loudness=-1.5,
        topics=["x"],
        long_view=1,
    ),
    # Nothing is known: neither an author nor tags, and no history.
    feature_row(user_id="u2", video_id="v1", event_time_ms=START + MS_PER_DAY - 1),
    feature_row(
        user_id="u1",
        video_id="v2",
        event_time_ms=START + MS_PER_DAY,
        history_video_ids=["v1"],
        history_author_ids=[""],
        history_tags=[""],
        history_gap_ms=[2 * HOUR_MS],
        country="DE",
        topics=["y", "x"],
        like=1,
        is_like=1,
    ),
]


def read(rows, folder, config=CONFIG, reader=None):
    table = pa.Table.from_pylist(rows, schema=feature_schema(config))
    write_examples(encode_examples(table), folder)
    reader = reader or TreeRowReader(config, ("long_view", "like"))
    return reader.read(str(folder))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return read(ROWS, tmp_path_factory.mktemp("rows") / "split")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("avc", [3, 0, 0]),
        ("video_age_hours", [2.5, NAN, NAN]),
        ("loudness", [-1.5, NAN, NAN]),
        ("history_length", [3, 0, 1]),
        ("hours_since_last_impression", [0.5, NAN, 2]),
        ("history_same_video_id", [2, 0, 0]),
        ("history_same_author_id", [1, 0, 0]),  # two unknown authors are not the same
        ("history_same_video_tags", [2, 0, 0]),
        ("video_tags_count", [2, 0, 0]),
        ("topics_count", [1, 0, 2]),
        ("user_id", [0, 1, 0]),
        ("video_id", [0, 0, 1]),
        ("author_id", [0, NAN, NAN]),
        ("country", [0, NAN, 1]),
        ("topics", [0, NAN, 1]),
    ],
)
def test_columns_become_numbers(rows, name, expected):
    names = [feature.name for feature in tree_features(CONFIG)]
    column = rows.features[:, names.index(name)]
    np.testing.assert_array_equal(column, np.array(expected, np.float32))


def test_every_feature_has_a_column(rows):
    assert rows.features.shape == (3, len(tree_features(CONFIG)))
    assert rows.features.dtype == np.float32


def test_labels_days_and_users(rows):
    assert rows.labels["long_view"].tolist() == [1, 0, 0]
    assert rows.labels["like"].tolist() == [0, 0, 1]
    assert rows.days.tolist() == [19_000, 19_000, 19_001]
    assert rows.users.tolist() == [0, 1, 0]


def test_days_are_those_of_the_calendar(tmp_path):
    config = settings_with(features={"utc_offset_hours": -1}).features
    assert read(ROWS, tmp_path / "x", config).days.tolist() == [18_999, 19_000, 19_000]


def test_a_label_that_is_not_known_is_unknown(tmp_path):
    labels = {"like": {"column": "is_like", "missing": "mask"}}
    values = {**CONFIG.model_dump(), "labels": labels}
    config = FeatureConfig.model_validate(values)
    row = {**ROWS[0], "like": None, "is_like": None}
    reader = TreeRowReader(config, ("like",))
    labels = read([row, ROWS[2]], tmp_path / "x", config, reader).labels
    assert labels["like"].tolist() == [UNKNOWN_LABEL, 1]


def test_a_value_has_the_same_number_in_another_split(tmp_path):
    reader = TreeRowReader(CONFIG, ("long_view", "like"))
    read(ROWS, tmp_path / "train", reader=reader)
    again = read(ROWS[2:], tmp_path / "eval", reader=reader)
    names = [feature.name for feature in tree_features(CONFIG)]
    assert again.features[0, names.index("country")] == 1
    assert again.users.tolist() == [0]
