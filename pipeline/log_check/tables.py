"""The numbers of a check as tables of texts, the most asked for first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.config import RunConfig
from pipeline.log_check.check import LogCheck
from pipeline.log_check.findings.finding import share_text
from pipeline.log_check.findings.split import needed_days
from pipeline.log_check.numbers.column_values import MOST_DISTINCT, ColumnValues
from pipeline.log_check.numbers.evaluation import SLICES
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.label_rates import ALL, Group
from pipeline.log_check.numbers.lengths import in_steps
from pipeline.log_check.numbers.most_seen import Seen
from pipeline.log_check.numbers.single_columns import SingleColumn
from pipeline.log_check.summary_lines import duration
from preprocessing.arrays.days import date_of, time_text
from preprocessing.contract.column_names import TIME_COLUMNS

_STRONGEST = 5  # columns that are shown for each label
_SHOWN_DAYS = 40


@dataclass(frozen=True)
class NumberTable:
    """A table of texts.

    Attributes:
        title: What it is of.
        columns: Their heads.
        rows: Their cells, a text for each column.
        note: What one must know to read it; may be empty.
        texts: Places of columns that hold words and not numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    texts: tuple[int, ...] = (0,)


def number_tables(found: LogCheck) -> Iterator[NumberTable]:
    """The tables of a check; none of a log without examples."""
    numbers = found.numbers
    if not numbers.examples:
        return
    yield _groups(numbers)
    if numbers.split.slices:
        yield _scored(found)
    yield _singles(numbers)
    yield _days(numbers)
    yield _columns(numbers)
    yield _lengths(numbers)
    yield _most_seen(numbers)
    if not numbers.split.problem:
        yield _cost(found)


def _groups(numbers: Numbers) -> NumberTable:
    names = list(numbers.groups[ALL].labels)
    rows = [
        (
            name,
            f"{group.rows:,}",
            share_text(group.rows, numbers.examples),
            f"{group.users:,}",
            *(_rate(group, label) for label in names),
            "" if group.mean_play_ms is None else f"{group.mean_play_ms / 1000:,.1f}",
        )
        for name, group in numbers.groups.items()
    ]
    return NumberTable(
        "Label rates by user group",
        ("group", "impressions", "share", "users", *names, "play time, s"),
        rows,
        "Rate of 1 among the known labels; mean play time. A user may be in several "
        "groups.",
    )


def _rate(group: Group, label: str) -> str:
    rate = group.labels[label].rate
    return "" if rate is None else f"{100 * rate:.2f} %"


def _scored(found: LogCheck) -> NumberTable:
    slices = found.numbers.split.slices
    tasks = list(dict.fromkeys(each.task for each in slices))
    by_slice = {(each.slice, each.task): each for each in slices}
    rows = [
        (name, *(_judged(found.config, by_slice[name, task].scored) for task in tasks))
        for name in SLICES
        if any(by_slice[name, task].rows for task in tasks)
    ]
    return NumberTable(
        "Users to be judged by in the evaluation",
        ("slice", *tasks),
        rows,
        f"Users of the slice with both labels, the only ones that have an AUC. Where "
        f"they are fewer than {found.config.evaluation.min_scored_users:,} "
        "(evaluation.min_scored_users) the slice does not decide a blessing; beside "
        "them about how many days to evaluate on would be enough.",
    )


def _judged(config: RunConfig, scored: int) -> str:
    days = needed_days(config, scored)
    if scored >= config.evaluation.min_scored_users or config.split.by == "user":
        return f"{scored:,}"
    return f"{scored:,} ({'?' if days is None else f'{days:,}'} days)"


def _singles(numbers: Numbers) -> NumberTable:
    rows: list[tuple[str, ...]] = []
    for label in dict.fromkeys(each.label for each in numbers.singles):
        best: dict[str, SingleColumn] = {}
        for each in numbers.singles:
            if each.label == label and each.gauc is not None:
                best.setdefault(each.column, each)
        for each in list(best.values())[:_STRONGEST]:
            rows.append(
                (
                    label,
                    each.column,
                    f"{each.gauc:.3f}",
                    "across users" if each.across else "within users",
                    each.how,
                    "" if each.across else f"{each.scored:,}",
                )
            )
    return NumberTable(
        "How well single columns rank",
        ("label", "column", "GAUC", "compared", "by", "users"),
        rows,
        f"The strongest of the model's inputs, each alone, of {numbers.single_users:,} "
        "users. By its values, where below 0.5 small ones mean 1; or by the label's "
        "rate for each value among other users. Across users it is an AUC.",
        (0, 1, 3, 4),
    )


def _days(numbers: Numbers) -> NumberTable:
    used = numbers.split.splits
    days = numbers.days[-_SHOWN_DAYS:]
    rows = [
        (
            date_of(day.day),
            used.get(date_of(day.day), ""),
            f"{day.rows:,}",
            share_text(day.new_user_rows, day.rows),
            f"{day.users:,}",
            f"{day.first_seen_users:,}",
            f"{day.first_seen_videos:,}",
        )
        for day in days
    ]
    hidden = len(numbers.days) - len(days)
    note = f"{hidden:,} earlier days are not shown. " if hidden else ""
    return NumberTable(
        "Days",
        (
            *("day", "split", "impressions", "of new users"),
            *("users", "first seen", "videos first seen"),
        ),
        rows,
        f"{note}First seen: with no earlier impression in this log.",
        (0, 1),
    )


def _columns(numbers: Numbers) -> NumberTable:
    rows = [
        (
            column.name,
            column.kind,
            share_text(column.nulls, column.rows),
            f"over {MOST_DISTINCT:,}" if column.distinct is None else _distinct(column),
            *_range(column),
        )
        for column in numbers.columns
    ]
    return NumberTable(
        "Columns",
        ("column", "type", "null", "distinct", "from", "to"),
        rows,
        "Of the examples. A column of the contract that is always null is not in the "
        "log, or not under this name.",
        (0, 1, 4, 5),
    )


def _distinct(column: ColumnValues) -> str:
    return f"{column.distinct:,}" if column.nulls < column.rows else ""


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


def _lengths(numbers: Numbers) -> NumberTable:
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


def _most_seen(numbers: Numbers) -> NumberTable:
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


def _cost(found: LogCheck) -> NumberTable:
    cost = found.cost
    rows = [(name, duration(seconds)) for name, seconds in cost.seconds.items()]
    rows += [
        ("all of it", duration(cost.total_s)),
        ("memory", f"{cost.memory_bytes / 1e9:.1f} GB"),
        ("an example, gzipped", f"{cost.example_bytes:,.0f} bytes"),
        ("disk", f"{cost.disk_bytes / 1e9:.2f} GB"),
    ]
    return NumberTable(
        "What a run would cost",
        ("part", "about"),
        rows,
        "By the rates of docs/benchmarks.md, on two cores: more are faster, a larger "
        "model is slower.",
    )
