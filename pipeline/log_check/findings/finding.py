"""Something that a person should know of a log before it is trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

# `stop`: a run would stop, or learn nothing. `look`: it would go on, perhaps wrongly.
# `note`: good to know.
Level = Literal["stop", "look", "note"]
Verdict = Literal["usable", "look", "unusable"]
LEVELS: tuple[Level, ...] = ("stop", "look", "note")


@dataclass(frozen=True)
class Finding:
    """What was seen, why it matters, what to do.

    Attributes:
        level: How bad it is.
        topic: What it is about, in a word or two, the same in every check.
        seen: What was seen, with its numbers.
        why: Why it matters.
        do: What to set or to look at.
    """

    level: Level
    topic: str
    seen: str
    why: str
    do: str


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """`unusable` if a run would stop, `look` if a person should look, else `usable`."""
    levels = {finding.level for finding in findings}
    if "stop" in levels:
        return "unusable"
    return "look" if "look" in levels else "usable"


def share_text(part: float, whole: float) -> str:
    """A share in per cent, with as many digits as it takes to differ from 0 and 100."""
    share = part / whole if whole else 0.0
    if 0 < share < 0.0001:
        return "below 0.01 %"
    if 0.9999 < share < 1:
        return "above 99.99 %"
    digits = 2 if min(share, 1 - share) < 0.01 and share not in (0, 1) else 1
    return f"{100 * share:.{digits}f} %"
