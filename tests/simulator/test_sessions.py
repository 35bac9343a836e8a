import numpy as np

from simulator import SimulatorConfig, simulate
from simulator.config import DAY_MS
from simulator.sessions import expected_arrivals


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


def test_every_user_group_is_there(impressions):
    users = impressions.groupby("group").user_id.nunique()
    assert set(users.index) == {"new", "regular", "inactive", "returning"}
    assert users["returning"] > 100  # silent for seven days within the log
    last_day = impressions[impressions.day == impressions.day.max()]
    assert set(last_day.group) == set(users.index)


def test_a_log_too_short_to_return_in_has_no_returning_users():
    log = simulate(SimulatorConfig(users=500, days=7)).to_pandas()
    gap = log.groupby("user_id").event_time_ms.diff()
    assert log.event_time_ms.max() - log.event_time_ms.min() > 6 * DAY_MS
    assert not (gap >= 7 * DAY_MS).any()


def test_evenings_are_busier_than_nights(impressions, config):
    hour = (impressions.event_time_ms - config.start_ms) % DAY_MS // 3_600_000
    views = np.bincount(hour, minlength=24)
    assert views[19:23].min() > 3 * views[2:6].max()
