import subprocess
import sys

import pytest
from pydantic import ValidationError

from preprocessing.contract.config import (
    FeatureConfig,
    LabelConfig,
    NewUserConfig,
    SourceConfig,
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": {"avc": {"column": "is_like"}}}, "'avc' is the name of another"),
        ({"labels": {"a": {"column": "avc"}}}, "'avc' is a computed feature"),
        ({"labels": {"is_like": {"rule": "finish_view"}}}, "name of another column"),
        ({"labels": {"a": {"column": "play_time_ms"}}}, "is no 0/1 column"),
        ({"labels": {"a": {"column": "b", "rule": "finish_view"}}}, "either a column"),
        ({"labels": {"a": {}}}, "either a column or a rule"),
        ({"history_of": "long_views"}, "needs a label named 'long_view'"),
        ({"history_length": 0}, "greater than 0"),
        ({"utc_offset_hours": float("nan")}, "utc_offset_hours"),
        ({"time_zone": "Europe/Berln"}, r"'Europe/Berln'\. Did you mean Europe/Berlin"),
        ({"time_zone": "asia/kolkata"}, r"Did you mean Asia/Kolkata"),
        ({"time_zone": "Kathmandu"}, r"Did you mean Asia/Kathmandu"),
        ({"time_zone": "UTC+8"}, r"an offset alone is features\.utc_offset_hours"),
        ({"time_zone": ""}, r"IANA time zone database"),
        ({"time_zone": 8}, "time_zone"),
        ({"time_zone": "localtime"}, "Received: 'localtime'"),  # another per machine
        ({"time_zone": "Factory"}, "Received: 'Factory'"),  # stands for no zone
        ({"time_zone": "../etc/passwd"}, "IANA time zone database"),
        (
            {"time_zone": "Asia/Shanghai", "utc_offset_hours": 0},
            r"not by both\. Received: Asia/Shanghai and 0",
        ),
        ({"new_user": {"max_hours": None}}, "both are null"),
        ({"histroy_length": 3}, "Extra inputs"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        FeatureConfig(**settings)


@pytest.mark.parametrize("name", ["user_id", "user_group", "video_age_hours", "like"])
def test_an_extra_feature_needs_a_name_of_its_own(name):
    with pytest.raises(ValidationError, match="is the name of another column"):
        FeatureConfig(
            labels={"like": {"column": "is_like"}},
            extra=[{"name": name, "entity": "context", "type": "numeric"}],
        )


def test_two_extras_of_one_name_are_refused():
    extra = {"name": "tab", "entity": "context", "type": "categorical"}
    with pytest.raises(ValidationError, match="'tab' is the name of another column"):
        FeatureConfig(extra=[extra, extra])


def test_a_labels_column_cannot_be_a_feature():
    with pytest.raises(ValidationError, match="would give the label away"):
        FeatureConfig(
            labels={"click": {"column": "is_click"}},
            extra=[{"name": "is_click", "entity": "context", "type": "categorical"}],
        )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": {"rule": "long_view", "at_least": 3}}, "at_least needs a column"),
        ({"rating": {"column": "rating", "at_least": 3}}, "name of another column"),
        ({"a": {"column": "is_like", "at_least": 1}}, "'is_like' is no graded column"),
        ({"a": {"column": "play_time_ms"}}, "'play_time_ms' is no 0/1 column"),
        (
            {"a": {"column": "r"}, "b": {"column": "r", "at_least": 3}},
            "'a' takes column 'r' for 0/1, another label",
        ),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(labels, message):
    with pytest.raises(ValidationError, match=message):
        FeatureConfig(labels=labels)


def test_one_column_may_serve_several_thresholds():
    config = FeatureConfig(
        labels={
            "good": {"column": "rating", "at_least": 4},
            "best": {"column": "rating", "at_least": 5},
            "watched": {"column": "play_time_ms", "at_least": 3000},
            "like": {"column": "is_like"},
        }
    )
    assert config.label_columns == ("rating", "play_time_ms", "is_like")
    assert config.graded_columns == ("rating", "play_time_ms")


def test_survives_json():
    config = FeatureConfig(
        new_user=NewUserConfig(max_avc=10),
        labels={"long_view": LabelConfig(rule="long_view", percent=50)},
        extra=[{"name": "tab", "entity": "context", "type": "categorical"}],
    )
    assert FeatureConfig.model_validate_json(config.model_dump_json()) == config


def test_needed_columns_follow_from_labels_and_extras():
    config = FeatureConfig(
        labels={"finish_view": {"rule": "finish_view"}, "like": {"column": "is_like"}},
        extra=[{"name": "tab", "entity": "context", "type": "categorical"}],
    )
    needed = ("play_time_ms", "video_duration_ms", "is_like", "tab")
    assert config.needed_columns == needed


MASK, REJECT = {"missing": "mask"}, {"missing": "reject"}
IDS = ("user_id", "video_id", "event_time_ms")


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        ({}, ()),
        ({"like": {"column": "is_like"}}, ("is_like",)),
        ({"like": {"column": "is_like", **MASK}}, ()),
        ({"a": {"rule": "long_view"}}, ("play_time_ms", "video_duration_ms")),
        ({"a": {"rule": "long_view", **MASK}}, ()),
        # A column that one label masks and another rejects is needed.
        ({"a": {"column": "c", **MASK}, "b": {"column": "c", **REJECT}}, ("c",)),
        (
            {
                "a": {"rule": "finish_view", **MASK},
                "b": {"column": "play_time_ms", "at_least": 9},
            },
            ("play_time_ms",),
        ),
    ],
)
def test_a_row_needs_the_columns_of_labels_that_are_not_masked(labels, columns):
    config = FeatureConfig(labels=labels)
    assert config.columns_of_every_row == (*IDS, *columns)
    assert config.masked_labels == tuple(
        name for name, label in labels.items() if label.get("missing") == "mask"
    )


def test_what_a_missing_label_means_is_one_of_two():
    with pytest.raises(ValidationError, match="'reject' or 'mask'"):
        FeatureConfig(labels={"like": {"column": "is_like", "missing": "drop"}})


def test_an_unknown_format_is_refused():
    with pytest.raises(ValidationError, match="parquet"):
        SourceConfig(format="xlsx")


def test_importing_the_room_loads_neither_beam_nor_arrow():
    code = (
        "import sys, preprocessing, preprocessing.contract.config;"
        "print(sorted({'apache_beam', 'pyarrow', 'tensorflow', 'numpy', 'pandas'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_public_names_resolve():
    import preprocessing

    for name in preprocessing.__all__:
        assert getattr(preprocessing, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = preprocessing.nothing
