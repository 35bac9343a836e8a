"""Columns that rank by themselves what nothing honest could: they know the label."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.single_columns import SingleColumn

LEAK = 0.95
_LEAST_USERS = 20  # by fewer a good GAUC may be chance


def leaks(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """The strongest ranking of each column that gives a label away."""
    told: set[tuple[str, str]] = set()
    extras = {extra.name for extra in config.features.extra}
    for each in numbers.singles:
        if not _is_leak(each) or (each.column, each.label) in told:
            continue
        told.add((each.column, each.label))
        where = "features.extra" if each.column in extras else "what the model reads"
        yield Finding(
            "look",
            "leak",
            f"{each.column} alone {'tells' if each.across else 'ranks'} {each.label} "
            f"with {'an AUC' if each.across else 'a GAUC'} of {each.gauc:.3f}"
            f"{_how(each)}.",
            "It knows the label: a model would learn nothing else, look excellent, and "
            "be useless where the column is not known yet.",
            f"Leave it out of {where}, unless it is known before the impression.",
        )


def _is_leak(each: SingleColumn) -> bool:
    enough = each.across or each.scored >= _LEAST_USERS
    return enough and each.strength > LEAK


def _how(each: SingleColumn) -> str:
    if each.how == "rates":
        return ", by how often the label is 1 for each of its values"
    return "" if (each.gauc or 0) > 0.5 else " (small values mean 1)"
