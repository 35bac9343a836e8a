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


@pytest.mark.parametrize("values", [None, {"of_tomorrow": 1}])
def test_settings_that_nobody_knows_are_refused(values):
    with pytest.raises(SettingsError, match="not known"):
        check_settings(values, FeatureConfig(), "here")
