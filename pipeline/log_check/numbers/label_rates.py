"""How often labels are 1 and how long is watched, by user group (Fig. 1a)."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.log_check.user_block import UserBlock
from preprocessing.contract.column_names import PLAY_TIME, USER_GROUPS

ALL = "all"


@dataclass(frozen=True)
class LabelCount:
    """A label's impressions.

    Attributes:
        known: Those whose label is known.
        positives: Those of label 1.
    """

    known: int
    positives: int

    @property
    def rate(self) -> float | None:
        """Share of 1 among the known ones; None without any."""
        return self.positives / self.known if self.known else None


@dataclass(frozen=True)
class Group:
    """A user group, or all of them.

    Attributes:
        rows: Impressions.
        users: Users with an impression in the group; one may be in several.
        mean_play_ms: Mean play time where it is known; None without any.
        labels: By name.
    """

    rows: int
    users: int
    mean_play_ms: float | None
    labels: dict[str, LabelCount]


class LabelRates:
    """Counts labels by user group.

    Args:
        labels: Their names.
    """

    def __init__(self, labels: Iterable[str]):
        self._labels = tuple(labels)
        self._lock = threading.Lock()
        self._sums: dict[str, np.ndarray] = defaultdict(
            lambda: np.zeros(len(USER_GROUPS), np.int64)
        )
        self._users = 0
        self.agreeing: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, block: UserBlock) -> None:
        """Takes all impressions of some users."""
        group, groups = block.group, len(USER_GROUPS)
        play, play_known = block.known(PLAY_TIME)
        pairs = np.unique(block.user * groups + group) % groups
        sums = {
            "rows": np.bincount(group, minlength=groups),
            "users": np.bincount(pairs, minlength=groups),
            "played": np.bincount(group[play_known], minlength=groups),
            "play_ms": np.bincount(group, play, groups).astype(np.int64),
        }
        values = {name: block.label(name) for name in self._labels}
        for name, label in values.items():
            sums[f"known {name}"] = np.bincount(group[label >= 0], minlength=groups)
            sums[f"positive {name}"] = np.bincount(group[label == 1], minlength=groups)
        agreeing = _agreeing(values)
        with self._lock:
            self._users += len(block.user_ids)
            for name, sum_ in sums.items():
                self._sums[name] += sum_
            for pair, rows in agreeing.items():
                self.agreeing[pair] += rows

    def result(self) -> dict[str, Group]:
        """By group, and of all of them (`ALL`) first."""
        groups = {ALL: self._group(slice(None), self._users)}
        for place, name in enumerate(USER_GROUPS):
            users = int(self._sums["users"][place])
            groups[name] = self._group(slice(place, place + 1), users)
        return groups

    def _group(self, places: slice, users: int) -> Group:
        def sum_of(name: str) -> int:
            return int(self._sums[name][places].sum())

        played = sum_of("played")
        return Group(
            sum_of("rows"),
            users,
            sum_of("play_ms") / played if played else None,
            {
                name: LabelCount(sum_of(f"known {name}"), sum_of(f"positive {name}"))
                for name in self._labels
            },
        )


def _agreeing(labels: dict[str, np.ndarray]) -> dict[tuple[str, str], int]:
    """Of each pair of labels the rows in which both are known, and equal."""
    names = list(labels)
    return {
        (name, other): _agreeing_rows(labels[name], labels[other])
        for place, name in enumerate(names)
        for other in names[place + 1 :]
    }


def _agreeing_rows(label: np.ndarray, other: np.ndarray) -> int:
    return int(((label == other) & (label >= 0)).sum())
