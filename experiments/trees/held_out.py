"""Which training rows tell when to stop: the last day, or some users."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from experiments.trees.rows import TreeRows
from preprocessing.arrays.days import date_of

_ONE_USER_IN = 10


class HeldOut(NamedTuple):
    """Some of the training rows.

    Attributes:
        rows: Whether a row is one of them, bool [rows].
        what: Which they are, for people to read.
    """

    rows: np.ndarray
    what: str


def hold_out(rows: TreeRows, by_day: bool) -> HeldOut:
    """The rows of the last training day, as the evaluation's are those of the next.

    Where the split is by users, or there is one day alone, they are those of one user
    in ten.

    Args:
        rows: What is trained on.
        by_day: Whether the run is split by days.
    """
    last = int(rows.days.max())
    on_last = rows.days == last
    if by_day and not on_last.all():
        return HeldOut(on_last, f"the last training day, {date_of(last)}")
    return HeldOut(rows.users % _ONE_USER_IN == 0, "one user in ten")
