"""The split that a configuration asks for: by day or by user."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from pipeline.config import LogConfig
from pipeline.examples.day_split import DaySplit, count_days
from pipeline.examples.user_split import UserSplit

Split = DaySplit | UserSplit


def make_split(
    config: LogConfig,
    counts: Counter[int],
    last: int | None = None,
    goes_on: bool = False,
) -> Split:
    """The split of a log.

    Args:
        config: Says how and where it is split.
        counts: Of all its rows, by `count_rows`.
        last: The last day of the run, where it is of certain days.
        goes_on: Whether older days are those that an earlier run has left.

    Raises:
        ValueError: The configuration names other days than `last`.
    """
    if config.split.by == "user":
        return UserSplit(config.split)
    return DaySplit(config.split, counts, config.features.calendar, last, goes_on)


def count_rows(table: pa.Table, config: LogConfig) -> Counter[int]:
    """Rows by day or by split, what `describe` of the split takes.

    Args:
        table: With the columns `user_id` and `event_time_ms`.
        config: Says how the log is split.
    """
    if config.split.by == "user":
        return UserSplit(config.split).count(table)
    return count_days(table, config.features.calendar)
