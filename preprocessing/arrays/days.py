"""Times and days: milliseconds since 1970, and days counted where the users live."""

from __future__ import annotations

import datetime

import numpy as np

from preprocessing.arrays.zone_offsets import last_changes_ms, zone_offsets_ms

MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR

# Where days begin: the name of a time zone, or hours of local time less UTC.
Calendar = str | float

_EPOCH = datetime.date(1970, 1, 1)


def local_day(event_time_ms: np.ndarray, calendar: Calendar) -> np.ndarray:
    """The day on which each time falls.

    day = floor((t + offset) / 24 h), where a time zone's offset is that of its clocks
    at t: a day on which they change has 23 or 25 hours.

    Args:
        event_time_ms: UTC milliseconds since 1970, int64 [rows].
        calendar: A name of the time zone database, e.g. Europe/Berlin, or local time
            less UTC in hours, e.g. 8 for China.

    Returns:
        Days since 1970-01-01 in local time, int64 [rows].
    """
    times = np.asarray(event_time_ms, dtype=np.int64)
    offset_ms = (
        zone_offsets_ms(times, calendar)
        if isinstance(calendar, str)
        else round(calendar * MS_PER_HOUR)
    )
    return np.floor_divide(times + offset_ms, MS_PER_DAY)


def begun_day(event_time_ms: np.ndarray, calendar: Calendar) -> np.ndarray:
    """The newest day that has begun by each time, which never steps back.

    It is `local_day`, but where clocks are put back over midnight: in the repeated
    hour before it the next day has begun already.

    Args:
        event_time_ms: As for `local_day`.
        calendar: As for `local_day`.

    Returns:
        Days since 1970-01-01 in local time, int64 [rows]; not lower at a later time.
    """
    day = local_day(event_time_ms, calendar)
    if not isinstance(calendar, str):
        return day
    times = np.asarray(event_time_ms, dtype=np.int64)
    before = local_day(last_changes_ms(times, calendar) - 1, calendar)
    return np.maximum(day, before)


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
