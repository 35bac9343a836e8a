"""No column that the user's behaviour decides ever reaches the trees."""

import pyarrow as pa
import pytest

from experiments.trees import inputs
from experiments.trees.inputs import tree_features, tree_fields
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.features.columns import feature_schema
from preprocessing.transform.config import TransformConfig
from preprocessing.transform.input_specs import HISTORY_GAP, input_specs

CONFIG = FeatureConfig.model_validate(
    {
        "labels": {
            "long_view": {"rule": "long_view"},
            "like": {"column": "is_like", "missing": "mask"},
            "praised": {"column": "stars", "at_least": 4},
            "shared": {"column": "shared"},
        },
        "extra": [
            {"name": "country", "entity": "user", "type": "categorical"},
            {"name": "length_s", "entity": "video", "type": "numeric"},
            {"name": "mood", "entity": "context", "type": "list"},
            {"name": "weight", "entity": "context", "type": "numeric", "input": False},
        ],
    }
)
# Known only after the impression, or of no use at the next one.
FORBIDDEN = {
    *("play_time_ms", "is_like", "is_follow", "stars", "shared"),
    *("long_view", "like", "praised", "weight", "event_time_ms"),
}


def names(config=CONFIG):
    return {field.name for field in tree_fields(config)}


def test_neither_labels_nor_what_they_are_made_of_are_inputs():
    assert set(feature_schema(CONFIG).names) > FORBIDDEN
    assert not names() & FORBIDDEN


def test_of_the_log_nothing_is_an_input_that_the_model_does_not_read():
    read = {spec.name for spec in input_specs(CONFIG, TransformConfig())}
    assert names() & set(impression_schema(CONFIG).names) <= read


def test_all_that_the_model_reads_is_an_input():
    read = {spec.name for spec in input_specs(CONFIG, TransformConfig())}
    assert {*read, HISTORY_GAP} <= names()


def test_each_kind_of_column_has_its_features():
    features = {f.name: f.categorical for f in tree_features(CONFIG)}
    assert features.keys() >= {"avc", "video_age_hours", "length_s"}
    assert not any(features[name] for name in ("avc", "length_s", "mood_count"))
    assert all(features[name] for name in ("country", "mood", "author_id"))
    assert features.keys() >= {
        "history_length",
        "hours_since_last_impression",
        "history_same_video_id",
        "history_same_author_id",
        "history_same_video_tags",
    }
    assert not any(name.startswith("history_video") for name in features)


def test_what_the_engine_learns_to_compute_is_an_input_by_itself(monkeypatch):
    rate = pa.field("video_like_rate", pa.float32(), nullable=False)
    schema = feature_schema(CONFIG).append(rate)
    monkeypatch.setattr(inputs, "feature_schema", lambda config: schema)
    assert tree_fields(CONFIG)[-1] == rate
    assert tree_features(CONFIG)[-1] == ("video_like_rate", False)


@pytest.mark.parametrize("label", ["play_time_ms", "watched"])
def test_a_label_by_any_column_is_none(label):
    config = FeatureConfig.model_validate(
        {"labels": {"enough": {"column": label, "at_least": 4}}}
    )
    assert not names(config) & {"enough", label}
