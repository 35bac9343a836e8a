"""Times that no log has in milliseconds, but many have in another unit.

Present-day seconds, read as milliseconds, fall into January to April 1970; micro- and
nanoseconds lie after the year 9999. One rule for every time column, and for the moment
that serving is asked about.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from preprocessing.contract.schema import MAX_TIME_MS

_SECONDS = (10**9, 10**10)  # as seconds: September 2001 to 2286
_MICROSECONDS = (MAX_TIME_MS + 1, 10**16)  # 1978 to 2286
_NANOSECONDS = (10**17, 2**63)  # March 1973 to 2262
_RANGE = "is out of range (milliseconds from 1970 to 9999)"


def implausible_times(times_ms: np.ndarray) -> Iterator[tuple[np.ndarray, str]]:
    """What speaks against times, the likeliest unit of each included.

    Args:
        times_ms: int64 [rows].

    Yields:
        Which times, bool [rows], and why, to be put after the column's name.
    """
    for (first, end), problem in (
        (_SECONDS, "looks like seconds, not milliseconds"),
        (_MICROSECONDS, f"{_RANGE}: it looks like microseconds, not milliseconds"),
        (_NANOSECONDS, f"{_RANGE}: it looks like nanoseconds, not milliseconds"),
    ):
        yield (times_ms >= first) & (times_ms <= end - 1), problem
    yield (times_ms < 0) | (times_ms > MAX_TIME_MS), _RANGE


def check_time_ms(name: str, time_ms: int) -> None:
    """Checks a single time.

    Args:
        name: What the time is called, for the message.
        time_ms: The time; a number of any size.

    Raises:
        ValueError: It is no time in milliseconds from 1970 to 9999.
    """
    end = 2**63 - 1
    time = np.array([min(max(int(time_ms), -end), end)])
    for broken, problem in implausible_times(time):
        if broken[0]:
            raise ValueError(f"`{name}` {problem}. Received: {time_ms}")
