"""What came before each event of a key: sums by the moment or by the day.

A key's days are steps. `before` is a measure's sum until a day began, `today` its sum
on that day; the next day of the key begins with

    before' = (before + today) * 0.5 ** (days between them / half-life)

and without a half-life with `before + today`. Sums without one are of whole numbers,
and a decayed one is made in the order of the key's own days, so that neither depends
on order, shards or where a log is cut: a state is `before` and `today` of a key's last
day, and counts as one event that comes first on that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from preprocessing.arrays.ranks import run_starts
from preprocessing.state.schema import StateError

_FIRST = np.iinfo(np.int64).min


@dataclass(frozen=True)
class DaySums:
    """Sums of keys, as of one day of each.

    Attributes:
        key: int64 [keys], each once.
        day: The last day with an event of the key, int64 [keys].
        before: Sums until that day began, float64 [measures, keys].
        today: Sums on that day, float64 [measures, keys], whole numbers.
    """

    key: np.ndarray
    day: np.ndarray
    before: np.ndarray
    today: np.ndarray


@dataclass(frozen=True)
class KeyEvents:
    """Events to count, in any order.

    Attributes:
        key: int64 [events].
        time_ms: int64 [events].
        day: Of `arrays.days.begun_day`, int64 [events].
        measures: Whole numbers to sum, [measures, events].
    """

    key: np.ndarray
    time_ms: np.ndarray
    day: np.ndarray
    measures: np.ndarray


def count_before(
    events: KeyEvents, known: DaySums, by_moment: bool, half_life_days: float | None
) -> tuple[np.ndarray, DaySums]:
    """Sums over what came before each event, and the sums after all of them.

    Args:
        events: All of each key that occurs.
        known: Sums of a state, which is earlier than all events; other keys may occur.
        by_moment: Whether events of the same day but an earlier time count.
        half_life_days: After so many days a sum counts half; None for never.

    Returns:
        float64 [measures, events], and the sums of all keys of both.

    Raises:
        StateError: The state names a key twice.
    """
    states = len(known.key)
    key = np.concatenate([known.key, events.key])
    time_ms = np.concatenate([np.full(states, _FIRST), events.time_ms])
    day = np.concatenate([known.day, events.day])
    order = _by_key_and_time(key, time_ms)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    key, time_ms, day = key[order], time_ms[order], day[order]
    key_start = run_starts(key)
    if (key_start[place[:states]] != place[:states]).any():
        raise StateError("a state's rates must name each key once")

    is_start = (np.diff(key, prepend=-1) != 0) | (np.diff(day, prepend=_FIRST) != 0)
    steps = _Steps(
        start=np.flatnonzero(is_start),
        of=np.cumsum(is_start) - 1,
        key_start=key_start,
        day=day,
    )
    own, state_step = place[states:], steps.of[place[:states]]
    step = steps.of[own]
    tie = run_starts(key, time_ms)[own] if by_moment else None
    last = np.flatnonzero(np.diff(key[steps.start], append=-1) != 0)
    counts = np.empty((len(events.measures), len(own)))
    before, today = np.empty((2, len(events.measures), len(last)))
    for m, measure in enumerate(events.measures):
        values = np.concatenate([known.today[m], measure])[order]
        sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        initial = np.zeros(len(steps.start))
        initial[state_step] = known.before[m]
        until = steps.until(sums, initial, half_life_days)
        counts[m] = until[step]
        if tie is not None:
            counts[m] += sums[tie] - sums[steps.start[step]]
        before[m], today[m] = until[last], steps.on(sums)[last]
    ends = steps.start[last]
    return counts, DaySums(key[ends], day[ends], before, today)


@dataclass(frozen=True)
class _Steps:
    """The days of each key, in sorted events.

    Attributes:
        start: Index of each step's first event [steps].
        of: The step of each event [events].
        key_start: Index of the first event of each event's key [events].
        day: Of each event [events].
    """

    start: np.ndarray
    of: np.ndarray
    key_start: np.ndarray
    day: np.ndarray

    def on(self, sums: np.ndarray) -> np.ndarray:
        """The sum on each step's day [steps], of running sums [events + 1]."""
        return np.diff(sums[np.append(self.start, len(sums) - 1)])

    def until(
        self, sums: np.ndarray, initial: np.ndarray, half_life_days: float | None
    ) -> np.ndarray:
        """The sum until each step's day began [steps].

        Args:
            sums: Running sums [events + 1].
            initial: At a key's first step what a state has; else 0 [steps].
            half_life_days: As for `count_before`.
        """
        first = self.of[self.key_start[self.start]]
        if half_life_days is None:
            return sums[self.start] - sums[self.start[first]] + initial[first]
        until, on = initial.copy(), self.on(sums)
        number = np.arange(len(first)) - first  # of the key's steps, from 0
        factor = _decay(
            np.diff(self.day[self.start], prepend=0), number, half_life_days
        )
        order = np.argsort(number, kind="stable")
        ends = np.cumsum(np.bincount(number))
        for begin, end in pairwise(ends):
            now = order[begin:end]
            until[now] = (until[now - 1] + on[now - 1]) * factor[now]
        return until


def _decay(gap: np.ndarray, number: np.ndarray, half_life_days: float) -> np.ndarray:
    """0.5 ** (days since the key's step before / half-life), float64 [steps].

    Each power is Python's own: a vector unit's may differ in the last bit from one
    place of an array to the next.
    """
    gap = np.where(number > 0, gap, 0)
    days, which = np.unique(gap, return_inverse=True)
    powers = [0.5 ** (days_between / half_life_days) for days_between in days.tolist()]
    return np.array(powers)[which]


def _by_key_and_time(key: np.ndarray, time_ms: np.ndarray) -> np.ndarray:
    """Indices that sort by key and then time; ties in any order.

    The two as one number where it has room for both, which sorts several times faster.
    """
    known = time_ms != _FIRST
    if not known.any():
        return np.lexsort([time_ms, key])
    low, high = int(time_ms[known].min()), int(time_ms[known].max())
    span = high - low + 2
    if (int(key.max()) + 1) * span >= 1 << 63:
        return np.lexsort([time_ms, key])
    return np.argsort(key * span + np.where(known, time_ms - low + 1, 0))
