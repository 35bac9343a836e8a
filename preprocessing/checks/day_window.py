"""Whole days of a log: what is of other days is left out when it is read."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import convert, to_array
from preprocessing.arrays.days import Calendar, date_of, day_of, local_day
from preprocessing.checks.times import implausible_times
from preprocessing.contract.column_names import EVENT_TIME

# Columns that tables are partitioned by, one folder a day.
_DAY_FOLDERS = ("date", "dt", "ds", "day")


class DayWindow(NamedTuple):
    """Days of a log in a row.

    Attributes:
        first: The first one, as days since 1970; None for the log's first.
        last: The last one; None for the log's last.
    """

    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        first = "the log's first day" if self.first is None else date_of(self.first)
        last = "its last" if self.last is None else date_of(self.last)
        return f"{first} to {last}"

    def has(self, days: np.ndarray) -> np.ndarray:
        """Whether days lie in the window, bool of their shape."""
        inside = np.ones(days.shape, dtype=bool)
        if self.first is not None:
            inside &= days >= self.first
        if self.last is not None:
            inside &= days <= self.last
        return inside

    def select(self, raw: pa.Table, calendar: Calendar) -> pa.Table:
        """The rows of a raw table that are not known to be of other days.

        Args:
            raw: As `validate` takes it.
            calendar: Where days begin.

        Returns:
            The rows of the window, and those whose time cannot be read or be right.
        """
        if EVENT_TIME not in raw.column_names or not raw.num_rows:
            return raw
        times_ms, known = _known_times(raw)
        outside = np.zeros(raw.num_rows, dtype=bool)
        outside[known] = ~self.has(local_day(times_ms[known], calendar))
        return raw.filter(pa.array(~outside)) if outside.any() else raw

    def undated(self, rows: pa.Table) -> int:
        """How many of the selected rows are of no day that is known."""
        if self == ALL_DAYS or EVENT_TIME not in rows.column_names:
            return 0
        return int((~_known_times(rows)[1]).sum())

    def may_hold(self, folders: dict[str, str | None]) -> bool:
        """Whether a file may hold rows of the window, by the days in its path.

        A day of grace on both sides, because whoever wrote the folders may let days
        begin elsewhere.

        Args:
            folders: Of `sources.partitions.folder_values`.
        """
        days = [_day(folders[name]) for name in _DAY_FOLDERS if name in folders]
        return all(
            self.has(np.array([day - 1, day, day + 1])).any()
            for day in days
            if day is not None
        )


ALL_DAYS = DayWindow()


def _known_times(raw: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Times, int64 [rows], and whether each can be read and be right."""
    times, unreadable = convert(to_array(raw[EVENT_TIME]), pa.int64(), True)
    known = times.is_valid().to_numpy(zero_copy_only=False) & ~unreadable
    times_ms = times.fill_null(0).to_numpy()
    for implausible, _ in implausible_times(times_ms):
        known &= ~implausible
    return times_ms, known


def _day(text: str | None) -> int | None:
    """A date as days since 1970; None if it is none."""
    try:
        return day_of(datetime.date.fromisoformat(text or ""))
    except ValueError:
        return None
