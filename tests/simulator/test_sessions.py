import numpy as np
import pytest

from simulator import SimulatorConfig, simulate
from simulator.config import DAY_MS
from simulator.sessions import expected_arrivals
from tests.helpers.user_groups import labelled


def test_new_users_have_their_share_overall_and_on_each_day(impressions, config):
    is_new = impressions.group == "new"
    assert abs(is_new.mean() - config.new_user_share) < 0.005
    by_day = is_new.groupby(impressions.day).mean()
    assert len(by_day) == config.days
    assert by_day.between(0.035, 0.065).all()


def test_the_share_of_new_users_follows_the_configuration():
    log = simulate(SimulatorConfig(new_user_share=0.15)).to_pandas()
    is_new = log.event_time_ms - log.user_first_launch_ms <= DAY_MS
    assert abs(is_new.mean() - 0.15) < 0.015
    assert expected_arrivals(SimulatorConfig(new_user_share=0.0)).sum() == 0


def last_day_of(impressions):
    return impressions[impressions.day == impressions.day.max()]


def test_every_user_group_has_its_share_of_the_last_day(impressions):
    shares = last_day_of(impressions).group.value_counts(normalize=True)
    assert set(shares.index) == {"new", "regular", "inactive", "returning"}
    assert shares["regular"] > 0.6
    assert shares.drop("regular").between(0.03, 0.2).all()


@pytest.mark.parametrize("label", ["long_view", "finish_view"])
@pytest.mark.parametrize("seed", [17, 18])
def test_every_user_group_has_users_with_an_auc_on_the_last_day(seed, label):
    """Users with both labels; slices of fewer than 100 are called noise."""
    config = SimulatorConfig(seed=seed)
    last_day = last_day_of(labelled(simulate(config), config))
    rates = last_day.groupby(["group", "user_id"])[label].mean()
    scored = rates.between(0, 1, inclusive="neither").groupby("group").sum()
    assert set(scored.index) == {"new", "regular", "inactive", "returning"}
    assert (scored > 80).all(), scored


def test_returning_users_watch_several_videos_after_seven_silent_days(impressions):
    back = impressions[impressions.group == "returning"]
    per_day = back.groupby(["user_id", "day"]).size()
    assert per_day.median() > 5
    days = impressions.groupby("user_id").day.unique()
    for user, day in per_day.index:
        earlier = days[user][days[user] < day]
        assert len(earlier)
        assert day - earlier.max() > 7


@pytest.mark.parametrize("days", [1, 2, 7, 8])
def test_a_log_too_short_to_return_in_has_no_returning_users(days):
    config = SimulatorConfig(users=500, days=days)
    frame = labelled(simulate(config), config)
    assert frame.day.nunique() == days
    assert "returning" not in set(frame.group)


@pytest.mark.parametrize("days", [9, 12, 30])
def test_a_log_that_is_long_enough_has_returning_users(days):
    config = SimulatorConfig(users=1000, days=days)
    assert "returning" in set(last_day_of(labelled(simulate(config), config)).group)


def test_evenings_are_busier_than_nights(impressions, config):
    hour = (impressions.event_time_ms - config.start_ms) % DAY_MS // 3_600_000
    views = np.bincount(hour, minlength=24)
    assert views[19:23].min() > 3 * views[2:6].max()
