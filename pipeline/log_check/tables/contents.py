"""Tables of what a log holds: columns, lengths, the users and videos seen most."""

from __future__ import annotations

from pipeline.log_check.findings.finding import share_text
from pipeline.log_check.numbers.column_values import MOST_DISTINCT, ColumnValues
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.lengths import in_steps
from pipeline.log_check.numbers.most_seen import Seen
from pipeline.log_check.tables.number_table import NumberTable
from preprocessing.arrays.days import time_text
from preprocessing.contract.column_names import TIME_COLUMNS


def columns_table(numbers: Numbers) -> NumberTable:
    """What each column of the log holds."""
    rows = [
        (
            column.name,
            column.kind,
            share_text(column.nulls, column.rows),
            f"over {MOST_DISTINCT:,}" if column.distinct is None else _distinct(column),
            *_range(column),
        )
        for column in numbers.columns
        if column.nulls < column.rows
    ]
    absent = [column.name for column in numbers.columns if column.nulls == column.rows]
    note = (
        f" Always null, so not in the log or not under this name: {', '.join(absent)}."
        if absent
        else ""
    )
    return NumberTable(
        "Columns",
        ("column", "type", "null", "distinct", "from", "to"),
        rows,
        f"Of the examples.{note}",
        (0, 1, 4, 5),
    )


def lengths_table(numbers: Numbers) -> NumberTable:
    """Users by impressions, and impressions by the length of their history."""
    lengths = numbers.lengths
    largest = max([*lengths.rows_of_users, *lengths.histories])
    users = dict(in_steps(lengths.rows_of_users, largest))
    histories = dict(in_steps(lengths.histories, largest))
    rows = [
        (
            name,
            f"{users.get(name, 0):,}",
            f"{count:,}",
            share_text(count, numbers.examples),
        )
        for name, count in histories.items()
    ]
    return NumberTable(
        "Lengths",
        ("length", "users", "impressions", "share of impressions"),
        rows,
        "Users by the number of their impressions in this log, and impressions by the "
        "length of their history, which ends at features.history_length.",
    )


def most_seen_table(numbers: Numbers) -> NumberTable:
    """The users and the videos that come most often."""
    total = numbers.examples

    def rows_of(kind: str, seen: list[Seen]) -> list[tuple[str, ...]]:
        return [
            (kind, each.id[:40], f"{each.rows:,}", share_text(each.rows, total))
            for each in seen
        ]

    return NumberTable(
        "Most impressions",
        ("", "id", "impressions", "share"),
        rows_of("user", numbers.top_users) + rows_of("video", numbers.top_videos),
        texts=(0, 1),
    )


def _distinct(column: ColumnValues) -> str:
    return f"{column.distinct:,}"


def _range(column: ColumnValues) -> tuple[str, str]:
    if column.least is None or column.greatest is None:
        return (f"such as {column.example[:24]}" if column.example else "", "")
    if column.name in TIME_COLUMNS:
        return _time(int(column.least)), _time(int(column.greatest))
    return _number(column.least), _number(column.greatest)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _time(time_ms: int) -> str:
    return time_text(time_ms)[:16].replace("T", " ")
