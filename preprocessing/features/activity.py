"""The days on which users were active."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import Calendar, local_day
from preprocessing.arrays.lists import list_lengths
from preprocessing.features.history import Events

ACTIVE_WINDOW_DAYS = 7


@dataclass(frozen=True)
class ActiveDays:
    """Each user's days with an impression, each once, ordered by user and day.

    Attributes:
        user: User code, int64 [pairs].
        day: By `arrays.days.local_day`, int64 [pairs].
    """

    user: np.ndarray
    day: np.ndarray

    def count_before(self, user: np.ndarray, today: np.ndarray) -> np.ndarray:
        """Days among the `ACTIVE_WINDOW_DAYS` before each row's day, int64 [rows].

        Args:
            user: User code, int64 [rows].
            today: Each row's day, int64 [rows].
        """
        if not len(user):
            return np.zeros(0, dtype=np.int64)
        days = np.concatenate([self.day, today])
        first = days.min() - ACTIVE_WINDOW_DAYS
        span = days.max() - first + 1
        active = self.user * span + (self.day - first)
        now = user * span + (today - first)
        return np.searchsorted(active, now) - np.searchsorted(
            active, now - ACTIVE_WINDOW_DAYS
        )

    def any_before(self, user: np.ndarray, today: np.ndarray) -> np.ndarray:
        """Whether the user has a day before each row's day, bool [rows].

        Args:
            user: User code, int64 [rows]; each has a day here.
            today: Each row's day, int64 [rows].
        """
        return self.day[np.searchsorted(self.user, user)] < today

    def recent(self) -> ActiveDays:
        """Those that can still count later.

        They are the last day of each user, those of the window before it, and the day
        before the last one, however long ago: without it, the rest of a day on which a
        user comes back would look like the user's first day.
        """
        last = np.diff(self.user, append=-1) != 0
        runs = np.diff(np.flatnonzero(last), prepend=-1)
        keep = self.day >= np.repeat(self.day[last], runs) - ACTIVE_WINDOW_DAYS
        keep[:-1] |= last[1:] & (self.user[1:] == self.user[:-1])
        return ActiveDays(self.user[keep], self.day[keep])


def collect_active_days(
    events: Events, state: pa.Table, state_user: np.ndarray, calendar: Calendar
) -> ActiveDays:
    """The active days of log and state.

    Args:
        events: Impressions of both.
        state: By `state.schema.USER_STATE_SCHEMA`.
        state_user: User code of each state row, int64 [users].
        calendar: Where days begin, as for `local_day`.
    """
    listed = list_lengths(state["active_days"])
    state_days = to_array(state["active_days"]).flatten().to_numpy()
    user = np.concatenate([events.user, np.repeat(state_user, listed)])
    day = np.concatenate([local_day(events.time_ms, calendar), state_days])
    order = np.lexsort([day, user])
    user, day = user[order], day[order]
    first = (np.diff(user, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0)
    return ActiveDays(user[first], day[first])
