"""Splits feature tables by day: so many days to train on, the next to evaluate on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import SplitConfig
from preprocessing.arrays.days import Calendar, date_of, day_of, local_day

TRAIN, EVAL = "train", "eval"


class EmptySplitError(ValueError):
    """A split that the configuration asks for has no impressions."""


class DaySplit:
    """Assigns days to splits.

    Args:
        config: Which days.
        first_day: The log's first day, as days since 1970; used where the configuration
            names none.
        calendar: Where a day begins, as for `local_day`.
    """

    def __init__(self, config: SplitConfig, first_day: int, calendar: Calendar):
        start = config.first_train_day
        self.first = first_day if start is None else day_of(start)
        self.first_eval = self.first + config.train_days
        self.end = self.first_eval + config.eval_days
        self._calendar = calendar

    def split_days(self) -> dict[str, range]:
        """The days of each split."""
        return {
            TRAIN: range(self.first, self.first_eval),
            EVAL: range(self.first_eval, self.end),
        }

    def select(self, table: pa.Table, split: str) -> pa.Table:
        """The rows of a feature table whose day belongs to a split."""
        days = table_days(table, self._calendar)
        chosen = self.split_days()[split]
        mask = (days >= chosen.start) & (days < chosen.stop)
        return table.filter(pa.array(mask))

    def describe(self, counts: Counter[int]) -> dict[str, Any]:
        """What each day holds and is used for, for the log's summary.

        Args:
            counts: Rows of each day.

        Raises:
            EmptySplitError: A split has no row.
        """
        warnings = check_days(self, counts)
        used = {date_of(d): name for name, of in self.split_days().items() for d in of}
        outside = sum(count for d, count in counts.items() if date_of(d) not in used)
        return {
            "outside_splits": outside,
            "days": {date_of(day): counts[day] for day in sorted(counts)},
            "splits": used,
            "warnings": warnings,
        }


def table_days(table: pa.Table, calendar: Calendar) -> np.ndarray:
    """Days since 1970 of a table's rows, int64 [rows]."""
    return local_day(table["event_time_ms"].to_numpy(), calendar)


def count_days(table: pa.Table, calendar: Calendar) -> Counter[int]:
    """Rows of each day."""
    days, counts = np.unique(table_days(table, calendar), return_counts=True)
    return Counter(dict(zip(days.tolist(), counts.tolist(), strict=True)))


def check_days(split: DaySplit, counts: Counter[int]) -> list[str]:
    """Compares the days that a run needs with those that the log has.

    Returns:
        A warning for each day of the splits without a row.

    Raises:
        EmptySplitError: A split has no row at all.
    """
    warnings = []
    for name, days in split.split_days().items():
        empty = [day for day in days if not counts[day]]
        if len(empty) == len(days):
            raise EmptySplitError(_nothing_in(name, days, counts))
        warnings += [f"{name}: no impressions on {date_of(day)}" for day in empty]
    return warnings


def _nothing_in(name: str, days: Iterable[int], counts: Counter[int]) -> str:
    wanted = [date_of(day) for day in days]
    known = sorted(counts)
    has = f"{date_of(known[0])} to {date_of(known[-1])}" if known else "no days at all"
    return (
        f"the {name} split has no impressions: it covers {wanted[0]} to {wanted[-1]}, "
        f"the log has {has}. Change split.first_train_day, split.train_days or "
        f"split.eval_days, or check features.time_zone."
    )
