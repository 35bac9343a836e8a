"""What `log_summary.json` says of a run's examples."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from pipeline.config import LogConfig
from pipeline.examples.day_split import DaySplit
from pipeline.examples.from_log import Made
from pipeline.examples.places import FIRST_DAY, LAST_DAY
from pipeline.examples.splits import make_split
from preprocessing.arrays.days import date_of, day_of
from preprocessing.engine.feature_settings import SETTINGS_KEY, noted_settings


def described(
    config: LogConfig, made: Made, last: int | None, goes_on: bool = False
) -> dict[str, Any]:
    """The summary of a log, what its rows are used for, and by which settings.

    Args:
        config: The run's configuration.
        made: Its rows.
        last: The last day of the run, where it is of certain days.
        goes_on: Whether older days are those that an earlier run has left.

    Raises:
        EmptySplitError: A split has no impressions.
    """
    summary = made.summary
    split = make_split(config, made.counts, last, goes_on)
    return {
        "rows_in": summary.rows_in,
        "examples": summary.examples,
        "rejects": summary.rejects,
        "by_reason": summary.by_reason,
        "other_days": summary.other_days,
        "left_out": summary.left_out,
        **split.describe(made.counts),
        SETTINGS_KEY: noted_settings(config.features),
    }


def first_and_last_day(
    config: LogConfig, made: Made, last: int | None
) -> dict[str, str]:
    """The first day of the splits with examples and the last day, as ISO dates.

    Empty for splits by user, which have no days.
    """
    split = make_split(config, made.counts, last)
    if not isinstance(split, DaySplit):
        return {}
    first = min(day for day in made.counts if split.first <= day < split.end)
    return {FIRST_DAY: date_of(first), LAST_DAY: date_of(split.end - 1)}


def rows_by_day(summary: Mapping[str, Any], split: str) -> dict[int | None, int]:
    """The rows of a split's days, as days since 1970; all by None where it has no days.

    Args:
        summary: What `described` returns.
        split: The split's name.
    """
    names = [name for name, of in summary["splits"].items() if of == split]
    return {_day(name): summary["days"].get(name, 0) for name in names}


def _day(name: str) -> int | None:
    try:
        return day_of(datetime.date.fromisoformat(name))
    except ValueError:
        return None  # a split by user
