"""The table of days."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pipeline.log_check.check import LogCheck
from pipeline.log_check.findings.finding import share_text
from pipeline.log_check.numbers.days import Day
from pipeline.log_check.tables.number_table import NumberTable
from preprocessing.arrays.days import date_of

_MOST_DAYS = 40  # that are shown one by one, the last ones


def days_table(found: LogCheck) -> NumberTable:
    """Each day; of a long log, and where the split is not by day, each month."""
    days = found.numbers.days
    used = found.numbers.split.splits
    by_day = found.config.split.by == "day"
    alone = days if len(days) <= _MOST_DAYS else days[-_MOST_DAYS:] if by_day else []
    rows = _months(days[: len(days) - len(alone)])
    rows += [
        (
            date_of(day.day),
            used.get(date_of(day.day), ""),
            f"{day.rows:,}",
            share_text(day.new_user_rows, day.rows),
            f"{day.users:,}",
            f"{day.first_seen_users:,}",
            f"{day.first_seen_videos:,}",
        )
        for day in alone
    ]
    return NumberTable(
        "Days",
        (
            *("day", "split", "impressions", "of new users"),
            *("users", "first seen", "videos first seen"),
        ),
        rows,
        "First seen: with no earlier impression in this log.",
        (0, 1),
    )


def _months(days: Sequence[Day]) -> list[tuple[str, ...]]:
    """Rows of days that are too many to be shown one by one."""
    return [
        (
            month,
            "",
            f"{sum(day.rows for day in of):,}",
            share_text(
                sum(day.new_user_rows for day in of), sum(day.rows for day in of)
            ),
            "",
            f"{sum(day.first_seen_users for day in of):,}",
            f"{sum(day.first_seen_videos for day in of):,}",
        )
        for month, of in (
            (month, list(group))
            for month, group in groupby(days, key=lambda day: date_of(day.day)[:7])
        )
    ]
