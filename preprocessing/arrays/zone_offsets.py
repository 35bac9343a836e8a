"""Local time less UTC of time zones by name, for whole columns of times.

`zoneinfo` answers for one time after the other. Here it is asked only where a zone's
offset changes, once per year; a column then needs one binary search. The rules come
from the system's time zone database or else from the package `tzdata`.
"""

from __future__ import annotations

import datetime
import functools
import zoneinfo

import numpy as np

_MS_PER_DAY = 86_400_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# The Gregorian calendar, weekdays included, repeats after 400 years, and so do the
# rules of years that no database lists one by one. Python's dates end in 9999.
_PERIOD = 400
_FIRST_YEAR, _FIRST_REPEATED_YEAR = 2, 2400


def zone_offsets_ms(times_ms: np.ndarray, zone: str) -> np.ndarray:
    """Local time less UTC at each time.

    Args:
        times_ms: UTC milliseconds since 1970, int64 [rows].
        zone: A name of the time zone database, e.g. Europe/Berlin.

    Returns:
        Milliseconds, int64 [rows].
    """
    if not len(times_ms):
        return np.zeros(0, dtype=np.int64)
    times, starts, offsets = _around(times_ms, zone)
    return offsets[np.searchsorted(starts, times, side="right") - 1]


def last_changes_ms(times_ms: np.ndarray, zone: str) -> np.ndarray:
    """The last change of the zone's offset at or before each time.

    Args:
        times_ms: UTC milliseconds since 1970, int64 [rows].
        zone: A name of the time zone database, e.g. Europe/Berlin.

    Returns:
        UTC milliseconds, int64 [rows]; the beginning of the time's year in UTC where
        the year has no earlier change.
    """
    if not len(times_ms):
        return np.zeros(0, dtype=np.int64)
    times, starts, _ = _around(times_ms, zone)
    return starts[np.searchsorted(starts, times, side="right") - 1]


def _around(
    times_ms: np.ndarray, zone: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The times, none outside of Python's dates; and `_changes` of all their years."""
    first, last = _year_start_ms(_FIRST_YEAR), _year_start_ms(9999)
    times = np.clip(times_ms, first, last - 1)
    years = times.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64)
    oldest = years.min()
    present = np.flatnonzero(np.bincount(years - oldest)) + oldest + 1970
    changes = [_changes(zone, year) for year in present.tolist()]
    starts = np.concatenate([starts for starts, _ in changes])
    offsets = np.concatenate([offsets for _, offsets in changes])
    return times, starts, offsets


@functools.lru_cache(maxsize=4096)
def _changes(zone: str, year: int) -> tuple[np.ndarray, np.ndarray]:
    """From when on which offset holds within a UTC year; both int64 [changes], in ms.

    The first entry is the year's beginning.
    """
    if year >= _FIRST_REPEATED_YEAR + _PERIOD:
        alike = _FIRST_REPEATED_YEAR + year % _PERIOD
        like_starts, like_offsets = _changes(zone, alike)
        shift = _year_start_ms(year) - _year_start_ms(alike)
        return like_starts + shift, like_offsets
    rules = zoneinfo.ZoneInfo(zone)
    begin, end = _year_start_ms(year) // 1000, _year_start_ms(year + 1) // 1000
    starts, offsets = [begin], [_offset_s(begin, rules)]
    for day_end in range(begin + 86_400, end + 1, 86_400):
        low, high = day_end - 86_400, day_end
        while _offset_s(high, rules) != offsets[-1]:
            low = max(low, starts[-1])
            change = _first_change(low, high, rules)
            starts.append(change)
            offsets.append(_offset_s(change, rules))
    return np.array(starts) * 1000, np.array(offsets) * 1000


def _first_change(low: int, high: int, rules: zoneinfo.ZoneInfo) -> int:
    """The second at which the offset of `low` ends; `high` has another."""
    before = _offset_s(low, rules)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(middle, rules) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_s(time_s: int, rules: zoneinfo.ZoneInfo) -> int:
    time = _EPOCH + datetime.timedelta(seconds=time_s)
    clocks = time.astimezone(rules).replace(tzinfo=datetime.timezone.utc)
    return round((clocks - time).total_seconds())


def _year_start_ms(year: int) -> int:
    days = datetime.date(year, 1, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()
    return days * _MS_PER_DAY
