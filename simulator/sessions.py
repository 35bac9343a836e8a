"""Who comes when: arrivals of newcomers, days with a visit, sessions and their length.

A day has 24 slots of an hour, drawn without replacement by `HOURLY_ACTIVITY`. A
session starts within half an hour of its slot, shifted by a phase of the user's own,
and is over within half an hour, so that the sessions of one user never overlap.
"""

from dataclasses import dataclass

import numpy as np

from simulator.config import DAY_MS, SimulatorConfig
from simulator.users import (
    FIRST_DAY_SESSIONS,
    FIRST_DAY_VIEWS,
    HABITS,
    LAPSED,
    LAPSED_INDEX,
    Users,
)

HOUR_MS = 3_600_000
SESSION_LIMIT_MS = HOUR_MS // 2
VIEWS_SHAPE = 3  # of the negative binomial number of views in a session
# Relative number of sessions that start in each hour of the day: peaks at lunch and
# in the evening.
HOURLY_ACTIVITY = np.array(
    [3, 2, 1, 1, 1, 1, 2, 4, 5, 5, 5, 6, 8, 7, 5, 5, 5, 6, 8, 10, 12, 12, 9, 6]
)
SILENT_DAYS = 7  # whole days of silence make a user a returning one
DAYS_TO_RETURN = SILENT_DAYS + 1
LEAVES_WITHIN_LOG = 0.75  # of the lapsed users, where the log is long enough
LEAVES_BEFORE_SLOT = 23  # so that the last session ends on the day on which they leave
STILL_NEW_NEXT_DAY = 0.45  # share of second-day impressions within 24 h of the launch


@dataclass(frozen=True)
class Sessions:
    """Sessions, ordered by user and time.

    Attributes:
        user: [sessions].
        start_ms: [sessions].
        views: impressions in each [sessions].
    """

    user: np.ndarray
    start_ms: np.ndarray
    views: np.ndarray


def expected_arrivals(config: SimulatorConfig) -> np.ndarray:
    """How many newcomers per day keep `new_user_share` constant over the log.

    With one established user, e_d impressions a day of established users, q those of
    a newcomer after the first day, n those on it, and f the share of the second day's
    that still count as new, the arrivals A_d follow from
    `A_d n + A_{d-1} q f = s / (1 - s) (e_d + A_{d-1} q (1 - f) + sum_{j<d-1} A_j q)`;
    the whole is then scaled to `users`.

    Returns:
        Newcomers [days].
    """
    share = config.new_user_share
    established = np.full(
        config.days,
        sum(h.established_share * h.active_probability * h.daily_views for h in HABITS),
    )
    established += (
        LAPSED.established_share * LAPSED.daily_views * _lapsed_visits(config.days)
    )
    retained = sum(
        h.newcomer_share * h.active_probability * h.daily_views for h in HABITS
    )
    arrivals = np.zeros(config.days)
    for day in range(config.days):
        yesterday = arrivals[day - 1] * retained if day else 0.0
        others = established[day] + arrivals[: max(day - 1, 0)].sum() * retained
        others += yesterday * (1 - STILL_NEW_NEXT_DAY)
        wanted = share / (1 - share) * others - yesterday * STILL_NEW_NEXT_DAY
        arrivals[day] = max(wanted, 0.0) / (FIRST_DAY_SESSIONS * FIRST_DAY_VIEWS)
    return np.round(arrivals * config.users / (1 + arrivals.sum())).astype(int)


def draw_sessions(
    config: SimulatorConfig, users: Users, rng: np.random.Generator
) -> Sessions:
    """Draws every session of the log."""
    active, allowed = _visits(config, users, rng)
    user, day = np.nonzero(active)
    first_day = users.launch_day[user] == day
    habit = users.habit[user]
    mean_sessions = np.array([h.sessions for h in HABITS])[habit]
    mean_sessions[first_day] = FIRST_DAY_SESSIONS
    mean_views = np.array([h.views for h in HABITS])[habit]
    mean_views[first_day] = FIRST_DAY_VIEWS

    # Gumbel top-k: k slots without replacement, by their weights.
    keys = np.log(HOURLY_ACTIVITY) + rng.gumbel(size=(len(user), 24))
    keys[~allowed[user, day]] = -np.inf
    by_key = np.argsort(-keys, axis=1)
    count = np.minimum(
        1 + rng.poisson(mean_sessions - 1), allowed[user, day].sum(axis=1)
    )
    row = np.repeat(np.arange(len(user)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    slot = by_key[row, nth]

    phase_ms = rng.integers(HOUR_MS, size=config.users)
    within_ms = slot * HOUR_MS + rng.integers(HOUR_MS // 2, size=len(row))
    start_ms = config.start_ms + day[row] * DAY_MS + phase_ms[user[row]] + within_ms
    success = VIEWS_SHAPE / (VIEWS_SHAPE + mean_views[row] - 1)
    views = 1 + rng.negative_binomial(VIEWS_SHAPE, success)

    order = np.lexsort((start_ms, user[row]))
    order = order[start_ms[order] < config.end_ms]
    return Sessions(user=user[row][order], start_ms=start_ms[order], views=views[order])


def _visits(
    config: SimulatorConfig, users: Users, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Days with a visit [users, days] and the slots open on them [users, days, 24]."""
    day = np.arange(config.days)
    launch_day = users.launch_day[:, None]
    probability = np.array([h.active_probability for h in HABITS])[users.habit]
    active = rng.random((config.users, config.days)) < probability[:, None]
    active = (active & (day > launch_day)) | (day == launch_day)

    allowed = np.ones((config.users, config.days, 24), dtype=bool)
    lapsed = np.flatnonzero(users.habit == LAPSED_INDEX)
    within = rng.random(len(lapsed)) < LEAVES_WITHIN_LOG
    within &= config.days > DAYS_TO_RETURN
    leaves = rng.integers(max(config.days - DAYS_TO_RETURN, 1), size=len(lapsed))
    earliest = np.where(within, leaves + DAYS_TO_RETURN, 0)
    returns = rng.integers(earliest, config.days)
    active[lapsed, returns] = True
    active[lapsed[within], leaves[within]] = True
    allowed[lapsed[within], leaves[within], LEAVES_BEFORE_SLOT:] = False
    return active, allowed


def _lapsed_visits(days: int) -> np.ndarray:
    """Probability that a lapsed user visits on each day [days]."""
    outside = np.full(days, 1 / days)
    if days <= DAYS_TO_RETURN:
        return outside
    within = np.zeros(days)
    starts = days - DAYS_TO_RETURN
    for leaves in range(starts):
        within[leaves] += 1 / starts
        within[leaves + DAYS_TO_RETURN :] += 1 / starts / (starts - leaves)
    return LEAVES_WITHIN_LOG * within + (1 - LEAVES_WITHIN_LOG) * outside
