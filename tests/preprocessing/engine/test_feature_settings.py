import json

import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.feature_settings import (
    SettingsError,
    check_settings,
    noted_settings,
)


def noted(**settings):
    return json.loads(json.dumps(noted_settings(FeatureConfig(**settings))))


def test_what_does_not_change_a_row_may_differ():
    given = noted(shards=3, max_reject_rate=0.5, last_day="2022-01-01")
    check_settings(given, FeatureConfig(), "here")
    check_settings(noted(utc_offset_hours=0), FeatureConfig(), "here")


def test_what_changes_a_row_is_named():
    given = noted(history_length=5, time_zone="Asia/Tokyo")
    with pytest.raises(SettingsError) as refused:
        check_settings(given, FeatureConfig(history_length=7), "here")
    assert "here was made with features.history_length 5, not 7" in str(refused.value)
    assert "days by Asia/Tokyo, not 0.0" in str(refused.value)


def with_rates(**rates):
    labels = {"like": {"column": "is_like"}, "follow": {"column": "is_follow"}}
    return {"labels": labels, "rates": rates}


def test_rates_are_compared_as_they_are_in_force():
    every_default = with_rates(
        labels=["follow", "like"],
        subjects={
            "user": {"clock": "day"},
            "user_x_author": {},
            "user_x_tag": {"clock": "day", "half_life_days": None},
            "author": {},
            "tag": {},
            "video": {"clock": "moment"},
        },
        strength=20,
    )
    config = FeatureConfig(**with_rates())
    check_settings(noted(**every_default), config, "here")
    check_settings(noted(**with_rates()), FeatureConfig(**every_default), "here")


@pytest.mark.parametrize(
    ("made", "wanted", "named"),
    [
        ({"strength": 5}, {}, ["features.rates.strength 5.0, not 20.0"]),
        ({}, {"prior": 0.1}, ["features.rates.prior 0.5, not 0.1"]),
        ({"labels": ["like"]}, {}, ["features.rates.labels like, not follow, like"]),
        (
            {"subjects": {"tag": {}, "user": {"half_life_days": 7}}},
            {"subjects": {"video": {}, "user": {"clock": "moment"}}},
            [
                "features.rates.subjects.tag clock moment, not none",
                "features.rates.subjects.video none, not clock moment",
                "features.rates.subjects.user clock day, half_life_days 7.0, "
                "not clock moment",
            ],
        ),
    ],
)
def test_rates_that_differ_are_named_one_by_one(made, wanted, named):
    with pytest.raises(SettingsError) as refused:
        check_settings(
            noted(**with_rates(**made)), FeatureConfig(**with_rates(**wanted)), "here"
        )
    assert str(refused.value).count("features.rates") == len(named)
    for difference in named:
        assert difference in str(refused.value)


def test_a_table_without_rates_is_none_with_them():
    labels = with_rates()["labels"]
    with pytest.raises(SettingsError, match=r"features\.rates none, not some\. Take"):
        check_settings(noted(labels=labels), FeatureConfig(**with_rates()), "here")
    with pytest.raises(SettingsError, match=r"features\.rates some, not none\. Take"):
        check_settings(noted(**with_rates()), FeatureConfig(labels=labels), "here")


@pytest.mark.parametrize("values", [None, {"of_tomorrow": 1}])
def test_settings_that_nobody_knows_are_refused(values):
    with pytest.raises(SettingsError, match="not known"):
        check_settings(values, FeatureConfig(), "here")
