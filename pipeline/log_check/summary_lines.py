"""The first lines of a page: whether the log can be used, and by what it is judged."""

from __future__ import annotations

from pipeline.log_check.check import LogCheck
from pipeline.log_check.numbers.label_rates import ALL
from pipeline.log_check.numbers.lengths import quantile
from preprocessing.arrays.days import date_of
from preprocessing.contract.column_names import USER_GROUPS


def verdict_line(found: LogCheck) -> str:
    """Whether a run can use the log."""
    looks = sum(finding.level == "look" for finding in found.findings)
    things = "1 thing" if looks == 1 else f"{looks} things"
    return {
        "usable": "This log can be used.",
        "look": f"This log can be used; look at {things} first.",
        "unusable": "This log cannot be used as it is configured.",
    }[found.verdict]


def evidence(found: LogCheck) -> list[str]:
    """The few numbers that matter most."""
    numbers = found.numbers
    rejects = numbers.rows_in - numbers.examples
    lines = [
        f"{numbers.rows_in:,} rows in = {numbers.examples:,} examples + "
        f"{rejects:,} rejects"
    ]
    if numbers.left_out:
        lines.append(f"{numbers.left_out:,} other rows left out by source.where")
    if not numbers.examples:
        return lines
    first, last = numbers.days[0].day, numbers.days[-1].day
    lines.append(
        f"{numbers.users:,} users, {numbers.videos:,} videos, "
        f"{quantile(numbers.lengths.rows_of_users, 0.5):,} impressions a user (median)"
    )
    lines.append(
        f"{len(numbers.days):,} days with impressions, {date_of(first)} to "
        f"{date_of(last)}"
    )
    total = numbers.groups[ALL].rows
    shares = ", ".join(
        f"{name} {100 * numbers.groups[name].rows / total:.1f} %"
        for name in USER_GROUPS
    )
    lines.append(f"impressions by user group: {shares}")
    split = numbers.split
    if not split.problem:
        lines.append(
            f"{split.train:,} examples to train on, {split.evaluated:,} to evaluate "
            f"on; a run: about {duration(found.cost.total_s)}, "
            f"{found.cost.memory_bytes / 1e9:.1f} GB"
        )
    return lines


def duration(seconds: float) -> str:
    """A time in the unit that one would say it in."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
