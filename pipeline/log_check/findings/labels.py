"""Labels that do not vary, that hardly ever vary, or that say the same."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, share_text
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.label_rates import ALL

_RARE_ROWS = 100
_SAME = 0.999


def labels(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What the labels speak against."""
    if not numbers.examples:
        return
    counts = numbers.groups[ALL].labels
    varying = []
    for name in config.task_names:
        count = counts[name]
        rarer = min(count.positives, count.known - count.positives)
        if not count.known:
            yield _without(name, "not known of any impression")
        elif not rarer:
            yield _without(name, "1" if count.positives else "0")
        else:
            varying.append(name)
            if rarer < _RARE_ROWS:
                yield Finding(
                    "look",
                    "rare label",
                    f"{name} is {'1' if rarer == count.positives else '0'} in only "
                    f"{rarer:,} of {count.known:,} impressions.",
                    "That is too few to learn it, or to judge how it is ranked.",
                    "Look at how it is made (features.labels), or take more days.",
                )
    if not varying:
        yield Finding(
            "stop",
            "labels",
            "No task has a label that varies.",
            "There is nothing to learn.",
            "Look at features.labels and at the columns and units that they read.",
        )
    yield from _the_same(numbers, varying)


def _without(name: str, value: str) -> Finding:
    return Finding(
        "look",
        "label",
        f"{name} is {value}{' in every impression' if len(value) == 1 else ''}.",
        "Its task learns nothing and has no GAUC.",
        f"Look at features.labels.{name}: its column, its threshold, the units that it "
        "compares. A log of clicks alone has no negatives to learn from.",
    )


def _the_same(numbers: Numbers, tasks: list[str]) -> Iterator[Finding]:
    for pair, rows in numbers.agreeing.items():
        name, other = pair.split(", ")
        if name not in tasks or other not in tasks:
            continue
        counts = numbers.groups[ALL].labels
        rare = min(
            min(counts[of].positives, counts[of].known - counts[of].positives)
            for of in (name, other)
        )
        # Of rare labels most rows agree by being 0.
        apart = min(counts[name].known, counts[other].known) - rows
        if apart < (1 - _SAME) * 2 * rare:
            yield Finding(
                "look",
                "equal labels",
                f"{name} and {other} are equal in {share_text(rows, rows + apart)} of "
                "the impressions.",
                "Two tasks learn the same, which weighs it twice.",
                "Leave one of them out of tasks, or look at the columns they read.",
            )
