"""Splits feature tables by day: so many days to train on, the next to evaluate on.

By default these are the log's newest days, so that of a log that grows from day to day
each run uses the window that has moved on with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import SplitConfig
from pipeline.examples.last_day import last_day
from pipeline.examples.split_parts import Assigned, Part
from preprocessing.arrays.days import Calendar, date_of, day_of, local_day

TRAIN, EVAL = "train", "eval"
_SHOWN_PERIODS = 6


class EmptySplitError(ValueError):
    """A split that the configuration asks for has no impressions."""


class UnreadyDayError(EmptySplitError):
    """A day to evaluate on has no impressions, or far fewer than are usual."""


class DaySplit:
    """Assigns days to splits.

    Args:
        config: Which days; where it names no first one, the log's newest.
        counts: Rows of each day of the log, by days since 1970.
        calendar: Where a day begins, as for `local_day`.
        last: The last day to evaluate on, where a run is of certain days; by default
            as the configuration says.
        goes_on: Whether older days are those that an earlier run has left, and not all
            that the log has.

    Raises:
        ValueError: The configuration names other days than `last`.
    """

    def __init__(
        self,
        config: SplitConfig,
        counts: Counter[int],
        calendar: Calendar,
        last: int | None = None,
        goes_on: bool = False,
    ):
        self.goes_on = goes_on
        given = config.first_train_day is not None or last is not None
        self.min_eval_share = config.min_eval_share if given else 0.0
        if config.first_train_day is None:
            if last is None:
                last = last_day(counts, config.train_days, config.eval_days)
            end = last + 1
            self.first = end - config.eval_days - config.train_days
        else:
            self.first = day_of(config.first_train_day)
        self.first_eval = self.first + config.train_days
        self.end = self.first_eval + config.eval_days
        if last is not None and self.end != last + 1:
            raise ValueError(
                f"split.first_train_day {config.first_train_day} makes "
                f"{date_of(self.end - 1)} the last day, but a run of {date_of(last)} "
                "was asked for: leave split.first_train_day out"
            )
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

    def assign(self, table: pa.Table) -> Assigned:
        """Where the rows of a feature table belong, each day by itself."""
        days = table_days(table, self._calendar)
        used = (days >= self.first) & (days < self.end)
        numbers = np.full(len(days), -1, np.int64)
        occurring, numbers[used] = np.unique(days[used], return_inverse=True)
        parts = [
            Part(TRAIN if day < self.first_eval else EVAL, day)
            for day in occurring.tolist()
        ]
        return Assigned(numbers, parts)

    def describe(self, counts: Counter[int]) -> dict[str, Any]:
        """What each day holds and is used for, for the log's summary.

        Args:
            counts: Rows of each day.

        Raises:
            EmptySplitError: A split has no row.
            UnreadyDayError: A day to evaluate on has too few.
        """
        warnings = check_days(self, counts)
        used = {date_of(d): name for name, of in self.split_days().items() for d in of}
        unused = sorted(d for d in counts if not self.first <= d < self.end)
        outside = sum(counts[day] for day in unused)
        if outside:
            what = (
                "1 example of other days is"
                if outside == 1
                else (f"{outside:,} examples of other days are")
            )
            warnings.append(f"{what} not used: {_periods(unused)}")
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
        A warning for each split with days without a row, and for fewer days to train
        on than were asked for.

    Raises:
        EmptySplitError: A split has no row at all.
        UnreadyDayError: That is so of the days to evaluate on, or one of them has far
            fewer rows than a day to train on.
    """
    warnings = []
    for name, days in split.split_days().items():
        empty = [day for day in days if not counts[day]]
        if len(empty) == len(days):
            kind = UnreadyDayError if name == EVAL else EmptySplitError
            raise kind(_nothing_in(name, days, counts))
        first = min(day for day in counts if counts[day])
        if name == TRAIN and first > days[0]:
            warnings.append(_fewer_days(len(days) - len(empty), days, first, split))
            empty = [day for day in empty if day > first]
        if empty:
            warnings.append(f"{name}: no impressions on {_periods(empty)}")
    _check_not_short(split, counts)
    return warnings


def _fewer_days(there: int, days: range, first: int, split: DaySplit) -> str:
    begins = f"the log begins on {date_of(first)}"
    if split.goes_on:
        begins = (
            f"the run before, which this one goes on from, has left none before "
            f"{date_of(first)}; older days of the log are not read again"
        )
    return f"{TRAIN}: {there} of the {len(days)} days (split.train_days): {begins}"


def _check_not_short(split: DaySplit, counts: Counter[int]) -> None:
    train, evaluated = split.split_days().values()
    usual = float(np.median([counts[day] for day in train if counts[day]]))
    for day in evaluated:
        if counts[day] and counts[day] < split.min_eval_share * usual:
            raise UnreadyDayError(
                f"{date_of(day)} has {counts[day]:,} impressions, where a day to train "
                f"on has {usual:,.0f}: it is not whole yet, or set "
                f"split.min_eval_share, now {split.min_eval_share:g}, lower"
            )


def _periods(days: Sequence[int]) -> str:
    """Ascending days in words, days in a row as one period."""
    breaks = np.flatnonzero(np.diff(days) > 1) + 1
    periods = [
        date_of(int(days_in_a_row[0]))
        if len(days_in_a_row) == 1
        else f"{date_of(int(days_in_a_row[0]))} to {date_of(int(days_in_a_row[-1]))}"
        for days_in_a_row in np.split(np.asarray(days), breaks)
    ]
    more = len(periods) - _SHOWN_PERIODS
    shown = ", ".join(periods[:_SHOWN_PERIODS])
    return f"{shown} and {more} more" if more > 0 else shown


def _nothing_in(name: str, days: Iterable[int], counts: Counter[int]) -> str:
    wanted = [date_of(day) for day in days]
    known = sorted(counts)
    has = f"{date_of(known[0])} to {date_of(known[-1])}" if known else "no days at all"
    return (
        f"the {name} split has no impressions: it covers {wanted[0]} to {wanted[-1]}, "
        f"the log has {has}. Change split.first_train_day, split.train_days or "
        f"split.eval_days, or check features.time_zone."
    )
