"""Tables of what can be learned of a log, and by whom a model could be judged."""

from __future__ import annotations

from pipeline.config import RunConfig
from pipeline.log_check.check import LogCheck
from pipeline.log_check.findings.finding import share_text
from pipeline.log_check.findings.split import needed_days
from pipeline.log_check.numbers.evaluation import SLICES
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.label_rates import ALL, Group
from pipeline.log_check.numbers.single_columns import SingleColumn
from pipeline.log_check.tables.number_table import NumberTable

_STRONGEST = 5  # columns that are shown for each label


def groups_table(numbers: Numbers) -> NumberTable:
    """Labels and play time of each user group."""
    names = list(numbers.groups[ALL].labels)
    watched = numbers.groups[ALL].mean_play_ms is not None
    rows = [
        (
            name,
            f"{group.rows:,}",
            share_text(group.rows, numbers.examples),
            f"{group.users:,}",
            *(_rate(group, label) for label in names),
            *([_seconds(group.mean_play_ms)] if watched else []),
        )
        for name, group in numbers.groups.items()
    ]
    return NumberTable(
        "Label rates by user group",
        (
            *("group", "impressions", "share", "users", *names),
            *(["play time, s"] if watched else []),
        ),
        rows,
        f"Rate of 1 among the known labels{'; mean play time' if watched else ''}. A "
        "user may be in several groups.",
    )


def judged_table(found: LogCheck) -> NumberTable:
    """By how many users each slice of the evaluation could be judged."""
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


def single_columns_table(numbers: Numbers) -> NumberTable:
    """The strongest columns for each label."""
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


def _judged(config: RunConfig, scored: int) -> str:
    days = needed_days(config, scored)
    if scored >= config.evaluation.min_scored_users or config.split.by == "user":
        return f"{scored:,}"
    return f"{scored:,} ({'?' if days is None else f'{days:,}'} days)"


def _rate(group: Group, label: str) -> str:
    rate = group.labels[label].rate
    return "" if rate is None else f"{100 * rate:.2f} %"


def _seconds(time_ms: float | None) -> str:
    return "" if time_ms is None else f"{time_ms / 1000:,.1f}"
