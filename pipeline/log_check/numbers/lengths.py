"""How many impressions users have, and how long the histories are that they leave."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pipeline.log_check.user_block import UserBlock
from preprocessing.contract.column_names import USER_GROUPS

_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)


@dataclass(frozen=True)
class Lengths:
    """Distributions of whole numbers.

    Attributes:
        rows_of_users: Impressions of a user: users by number of impressions.
        histories: Entries of an impression's history: impressions by length.
        empty_by_group: Impressions with an empty history, by user group.
    """

    rows_of_users: dict[int, int]
    histories: dict[int, int]
    empty_by_group: dict[str, int]


class LengthCounts:
    """Counts lengths."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: Counter[int] = Counter()
        self._histories: Counter[int] = Counter()
        self._empty = np.zeros(len(USER_GROUPS), np.int64)

    def add(self, block: UserBlock) -> None:
        """Takes all impressions of some users."""
        lengths = pc.list_value_length(block.table["history_video_ids"]).to_numpy()
        users, histories = _counted(block.rows_of_users), _counted(lengths)
        empty = np.bincount(block.group[lengths == 0], minlength=len(USER_GROUPS))
        with self._lock:
            self._users.update(users)
            self._histories.update(histories)
            self._empty += empty

    def result(self) -> Lengths:
        """The distributions."""
        return Lengths(
            dict(sorted(self._users.items())),
            dict(sorted(self._histories.items())),
            dict(zip(USER_GROUPS, self._empty.tolist(), strict=True)),
        )


def quantile(counts: dict[int, int], share: float) -> int:
    """The value that a share of what was counted is at most; 0 of nothing.

    Args:
        counts: How often each value occurs, ascending by value.
        share: From 0 to 1.
    """
    below, total = 0, sum(counts.values())
    for value, count in counts.items():
        below += count
        if below >= share * total:
            return value
    return 0


def in_steps(
    counts: dict[int, int], largest: int | None = None
) -> list[tuple[str, int]]:
    """Counts of ranges of values such as "5 to 9", from 0 on.

    Args:
        counts: How often each value occurs.
        largest: The ranges reach to it; by default to the largest value.
    """
    largest = max(counts, default=0) if largest is None else largest
    starts = [step for step in _STEPS if step <= largest]
    ranges = [("0", counts.get(0, 0))]
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        inside = sum(
            count
            for value, count in counts.items()
            if value >= start and (end is None or value < end)
        )
        if end is None:
            name = f"{start:,}" if largest == start else f"{start:,} or more"
        else:
            name = f"{start:,}" if end == start + 1 else f"{start:,} to {end - 1:,}"
        ranges.append((name, inside))
    return ranges


def _counted(values: np.ndarray) -> Counter[int]:
    found, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
