"""What a run would say of the split, and groups that it could not be judged on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding
from pipeline.log_check.numbers.evaluation import ALL, SliceUsers
from pipeline.log_check.numbers.gathered import Numbers
from preprocessing.contract.column_names import USER_GROUPS

_NEW = USER_GROUPS[0]


def split(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What the split speaks against."""
    found = numbers.split
    if not numbers.examples:
        return
    if found.problem:
        yield Finding(
            "stop",
            "split",
            f"{found.problem[0].upper()}{found.problem[1:].rstrip('.')}.",
            "A run would stop.",
            "Change the section split, or --data.",
        )
        return
    for warning in found.warnings:
        yield Finding(
            "note",
            "split",
            f"{warning[0].upper()}{warning[1:].rstrip('.')}.",
            "A run goes on and says so, too.",
            "Nothing, if it is meant.",
        )
    yield from _slices(config, numbers)


def _slices(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    has_new = numbers.groups[_NEW].rows > 0  # else `people` has more to say
    least = config.evaluation.min_scored_users
    short: dict[str, list[SliceUsers]] = defaultdict(list)
    for each in numbers.split.slices:
        there = has_new if each.slice == _NEW else each.rows > 0
        if there and each.scored < least and each.task in config.blessing_tasks:
            short[each.slice].append(each)
    whole, new = short.pop(ALL, []), short.pop(_NEW, [])
    if whole:
        yield Finding(
            "look",
            "evaluation",
            f"Too few users of the evaluation have both labels: {_counts(whole)}, of "
            f"{least:,} (evaluation.min_scored_users).",
            "Such a task does not decide whether a model is blessed.",
            _enough(config, whole),
        )
    if new:
        tasks = {each.task for each in new}
        every = tasks == set(config.blessing_tasks)
        yield Finding(
            "look" if every else "note",
            "new users",
            f"New users can{'not' if every else ' hardly'} be judged: "
            f"{_counts(new)} of them have both labels in the evaluation, of {least:,} "
            "(evaluation.min_scored_users).",
            "A model that gets worse for them would be blessed all the same.",
            _enough(config, new),
        )
    if short:
        names = "; ".join(f"{name} ({_counts(of)})" for name, of in short.items())
        yield Finding(
            "note",
            "small slices",
            f"Other slices of the evaluation have fewer than {least:,} users with both "
            f"labels: {names}.",
            "They do not decide whether a model is blessed.",
            "The table below has the days that each would need.",
        )


def needed(config: RunConfig, scored: int) -> float | None:
    """Times as many days or users that would be enough; None where it is not known."""
    return config.evaluation.min_scored_users / scored if scored else None


def needed_days(config: RunConfig, scored: int) -> int | None:
    """Days to evaluate on that would be enough, if each brought as many users."""
    factor = needed(config, scored)
    return None if factor is None else math.ceil(factor * config.split.eval_days)


def _counts(of: list[SliceUsers]) -> str:
    return ", ".join(f"{each.task} {each.scored:,}" for each in of)


def _enough(config: RunConfig, of: list[SliceUsers]) -> str:
    fewest = min((each.scored for each in of if each.scored), default=0)
    factor, days = needed(config, fewest), needed_days(config, fewest)
    if factor is None or days is None:
        return (
            "Where no user has both labels, more days need not help: leave the task "
            "out of evaluation.blessing_tasks."
        )
    never = ", ".join(each.task for each in of if not each.scored)
    but = f" Of {never} no user has both, so more need not help." if never else ""
    if config.split.by == "user":
        return f"About {factor:,.1f} times as many users to evaluate on would do.{but}"
    return (
        f"About {days:,} days to evaluate on would do (split.eval_days), or leave the "
        f"task out of evaluation.blessing_tasks.{but}"
    )
