"""How to split a log into training and evaluation, by the days that it covers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_MS_PER_DAY = 86_400_000
_MANY_DAYS = 31
_FEW_USERS = 50  # of a day to evaluate on


@dataclass(frozen=True)
class SplitGuess:
    """A split and its reason.

    Attributes:
        entries: Of the section `split`.
        why: What speaks for it.
        sure: Whether it is plain.
    """

    entries: Mapping[str, Any]
    why: str
    sure: bool


def guess_split(
    times_ms: np.ndarray,
    users: np.ndarray,
    offset_hours: float,
    total_rows: int,
    to_end: bool,
) -> SplitGuess:
    """By day where a day has users enough to be judged by, else by user.

    Args:
        times_ms: UTC, float64 [rows of the sample], NaN for unknown.
        users: Codes of the users, int64 [rows of the sample].
        offset_hours: Where days begin: local time less UTC.
        total_rows: Of the whole log.
        to_end: Whether the sample knows the log's end.
    """
    known = ~np.isnan(times_ms) & (users >= 0)
    days = (times_ms[known] + offset_hours * 3_600_000) // _MS_PER_DAY
    if not len(days):
        return SplitGuess({"by": "user"}, "no time was read", False)
    span = int(days.max() - days.min()) + 1
    dates = " to ".join(_date(day) for day in (days.min(), days.max()))
    pairs = len(np.unique(np.stack([days, users[known].astype(float)]), axis=1).T)
    per_day = pairs / len(days) * total_rows / span
    facts = f"{dates}, {span:,} days, about {per_day:,.0f} users a day"
    by_user = {"by": "user", "train_user_share": 0.8}
    if span < 2:
        if to_end:
            why = f"all is of one day ({dates}), so users are split"
            return SplitGuess(by_user, why, True)
        why = f"{facts} in the part that was looked at, which ends before the log does"
        return SplitGuess({"by": "day", "train_days": 7, "eval_days": 1}, why, False)
    if span > _MANY_DAYS and per_day < _FEW_USERS:
        why = f"{facts}: a day has too few users to be judged by, so users are split"
        return SplitGuess(by_user, why, True)
    window = {"by": "day", "train_days": max(1, min(7, span - 1)), "eval_days": 1}
    return SplitGuess(window, f"{facts}: the newest day evaluates", to_end)


def _date(day: float) -> str:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day))).isoformat()
