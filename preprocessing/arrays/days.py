"""Times and days: milliseconds since 1970, and days counted where the users live."""

from __future__ import annotations

import datetime

import numpy as np

MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR

_EPOCH = datetime.date(1970, 1, 1)


def local_day(event_time_ms: np.ndarray, utc_offset_hours: float) -> np.ndarray:
    """The day on which each time falls.

    day = floor((t + offset) / 24 h)

    Args:
        event_time_ms: UTC milliseconds since 1970, int64 [rows].
        utc_offset_hours: Local time less UTC, e.g. 8 for China.

    Returns:
        Days since 1970-01-01 in local time, int64 [rows].
    """
    offset_ms = round(utc_offset_hours * MS_PER_HOUR)
    times = np.asarray(event_time_ms, dtype=np.int64)
    return np.floor_divide(times + offset_ms, MS_PER_DAY)


def day_of(date: datetime.date) -> int:
    """A date as days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(day: int) -> str:
    """Days since 1970-01-01 as an ISO date, such as "2022-04-15"."""
    return (_EPOCH + datetime.timedelta(days=day)).isoformat()


def time_text(time_ms: int) -> str:
    """UTC milliseconds since 1970 as ISO time, such as "2022-04-15T05:20:00.007Z"."""
    seconds, ms = divmod(time_ms, 1000)
    time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
