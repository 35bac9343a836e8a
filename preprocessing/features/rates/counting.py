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

from preprocessing.arrays.lists import offsets_of
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
    start = np.flatnonzero(is_start)
    step_of = np.cumsum(is_start) - 1
    last = np.flatnonzero(np.diff(key[start], append=-1) != 0)
    own, newest = place[states:], start[last]
    end = run_starts(key, time_ms)[own] if by_moment else start[step_of[own]]
    sums = _RunningSums(known.today, events.measures, order)
    initial = np.zeros((len(events.measures), len(start)))
    initial[:, step_of[place[:states]]] = known.before
    if half_life_days is None:
        counts = sums.between(key_start[own], end)
        before = sums.between(key_start[newest], newest)
        if states:
            counts += _columns(initial, step_of[key_start[own]])
            before += _columns(initial, step_of[key_start[newest]])
    else:
        steps = _Steps(step_of[key_start[start]], day[start])
        on = sums.between(start, np.append(start[1:], len(key)))
        until = steps.until(on, initial, half_life_days)
        counts = _columns(until, step_of[own])
        if by_moment:
            counts += sums.between(start[step_of[own]], end)
        before = until[:, last]
    today = sums.between(newest, np.append(start[1:], len(key))[last])
    return counts, DaySums(key[newest], day[newest], before, today)


class _RunningSums:
    """Sums of whole numbers from one event to another, of several measures at once.

    As many measures as have room share the bits of one number: a difference of running
    sums is then one subtraction for all of them, and looked up once.

    Args:
        today: Whole numbers of a state, none below 0, [measures, states].
        measures: Whole numbers of events, none below 0, [measures, events].
        order: Sorts states and then events [states + events].
    """

    def __init__(self, today: np.ndarray, measures: np.ndarray, order: np.ndarray):
        self._measures = len(measures)
        totals = today.sum(axis=1) + measures.sum(axis=1, dtype=np.int64)
        most = int(totals.max(initial=0))
        self._bits = max(most.bit_length(), 1)
        self._fields = max(63 // self._bits, 1)
        self._words = []
        for begin in range(0, len(measures), self._fields):
            packed = np.zeros(len(order), dtype=np.int64)
            for field in range(min(self._fields, len(measures) - begin)):
                for values, place in (
                    (today[begin + field], packed[: today.shape[1]]),
                    (measures[begin + field], packed[today.shape[1] :]),
                ):
                    place += values.astype(np.int64) << (field * self._bits)
            self._words.append(offsets_of(packed[order]))

    def between(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Sums over the events from `begin` to before `end`, float64 [measures, n].

        Args:
            begin: Indices of events, int64 [n].
            end: Indices, none below `begin`, int64 [n].
        """
        found = np.empty((self._measures, len(begin)))
        mask = (1 << self._bits) - 1
        for number, word in enumerate(self._words):
            sums = word[end] - word[begin]
            first = number * self._fields
            for field in range(min(self._fields, self._measures - first)):
                found[first + field] = (sums >> (field * self._bits)) & mask
        return found


@dataclass(frozen=True)
class _Steps:
    """The days of each key, in sorted events.

    Attributes:
        first: The first step of each step's key [steps].
        day: Of each step [steps].
    """

    first: np.ndarray
    day: np.ndarray

    def until(
        self, on: np.ndarray, initial: np.ndarray, half_life_days: float
    ) -> np.ndarray:
        """The decayed sums until each step's day began, float64 [measures, steps].

        Args:
            on: Sums on each step's day [measures, steps].
            initial: At a key's first step what a state has; else 0 [measures, steps].
            half_life_days: As for `count_before`.
        """
        until = initial.copy()
        number = np.arange(len(self.first)) - self.first  # of the key's, from 0
        factor = _decay(np.diff(self.day, prepend=0), number, half_life_days)
        order = np.argsort(number, kind="stable")
        ends = np.cumsum(np.bincount(number))
        for begin, end in pairwise(ends):
            now = order[begin:end]
            until[:, now] = (until[:, now - 1] + on[:, now - 1]) * factor[now]
        return until


def _columns(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    """`table[:, index]`, row by row, which is several times faster."""
    found = np.empty((len(table), len(index)), dtype=table.dtype)
    for row, values in zip(found, table, strict=True):
        np.take(values, index, out=row)
    return found


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
