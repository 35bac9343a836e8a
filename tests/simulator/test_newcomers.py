import dataclasses

import pandas as pd
import pytest

from simulator import SimulatorConfig, simulate
from simulator.config import DAY_MS
from tests.helpers.user_groups import labelled

RARE = dataclasses.replace(SimulatorConfig(), newcomers=0.1)
LAST_DAY_MS = RARE.end_ms - DAY_MS


@pytest.fixture(scope="module")
def rare():
    return labelled(simulate(RARE), RARE)


def early_newcomers(frame):
    """Users who first launch within the log and before its last day."""
    launch = frame.user_first_launch_ms
    within = launch.between(RARE.start_ms - DAY_MS, LAST_DAY_MS - 1)
    return set(frame.user_id[within])


def test_a_share_of_the_early_newcomers_is_kept(impressions, rare):
    everybody, kept = early_newcomers(impressions), early_newcomers(rare)
    assert kept < everybody
    assert len(kept) == round(0.1 * len(everybody))


def test_new_users_become_rare_in_training_and_only_there(impressions, rare):
    before, last_day = rare.day < RARE.days - 1, rare.day == RARE.days - 1
    assert (rare[before].group == "new").mean() == pytest.approx(0.005, abs=0.002)
    share = (rare[last_day].group == "new").mean()
    full = impressions[impressions.day == RARE.days - 1]
    assert share == pytest.approx((full.group == "new").mean(), abs=0.01)


def test_the_impressions_of_all_others_are_the_same_rows(impressions, rare):
    dropped = early_newcomers(impressions) - early_newcomers(rare)
    others = impressions[~impressions.user_id.isin(dropped)].reset_index(drop=True)
    pd.testing.assert_frame_equal(rare, others)
    last_day = others[others.event_time_ms >= LAST_DAY_MS]
    launched_then = impressions.user_first_launch_ms >= LAST_DAY_MS
    assert set(impressions.user_id[launched_then]) <= set(last_day.user_id)


def test_the_same_seed_keeps_the_same_users_and_a_smaller_share_some_of_them():
    small = {"users": 300, "days": 3}
    logs = {
        share: simulate(SimulatorConfig(newcomers=share, **small))
        for share in (0.0, 0.2, 0.6)
    }
    again = simulate(SimulatorConfig(newcomers=0.6, **small))
    assert logs[0.6].equals(again)
    users = {share: set(log["user_id"].to_pylist()) for share, log in logs.items()}
    assert users[0.0] < users[0.2] < users[0.6]
    other = simulate(SimulatorConfig(newcomers=0.6, seed=18, **small))
    assert not other.equals(again)
