"""Days as whole numbers: days since 1970-01-01, counted where the users live."""

from __future__ import annotations

import numpy as np

MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR


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
