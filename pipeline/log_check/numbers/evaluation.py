"""Which rows train and which evaluate; how many users each slice could be judged by."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import LogConfig
from pipeline.examples.day_split import EVAL, TRAIN, EmptySplitError
from pipeline.examples.splits import Split, count_rows, make_split
from pipeline.log_check.user_block import UserBlock
from preprocessing.contract.column_names import USER_GROUPS

ALL, NEW_VIDEO, REGULAR_VIDEO = "all", "new video", "regular video"
SLICES = (ALL, *USER_GROUPS, NEW_VIDEO, REGULAR_VIDEO)


@dataclass(frozen=True)
class SliceUsers:
    """A task on a slice of the evaluation split.

    Attributes:
        task: Whose label.
        slice: One of `SLICES`.
        rows: Impressions of the slice whose label is known.
        scored: Users of the slice with both labels; only these have an AUC.
    """

    task: str
    slice: str
    rows: int
    scored: int


@dataclass(frozen=True)
class SplitRows:
    """What a run would train on and evaluate on.

    Attributes:
        train: Rows to train on.
        evaluated: Rows to evaluate on.
        unused: Rows of neither.
        splits: Which days, or users, are of which split.
        warnings: What a run would say of the split.
        problem: Why a run would stop; empty if it would not.
        slices: The users of the evaluation split.
    """

    train: int
    evaluated: int
    unused: int
    splits: dict[str, str]
    warnings: list[str]
    problem: str
    slices: list[SliceUsers]


class Evaluation:
    """Counts the rows of splits and the users of the evaluation split's slices.

    Args:
        config: Says how the log is split.
        tasks: Names of the tasks.
    """

    def __init__(self, config: LogConfig, tasks: Iterable[str]):
        self._config = config
        self._tasks = tuple(tasks)
        self._lock = threading.Lock()
        self._counts: Counter[int] = Counter()
        self._rows: Counter[str] = Counter()
        self._of_slices: Counter[tuple[str, str, str]] = Counter()
        self._split: Split | None = None
        self._described: dict[str, Any] = {}
        self._problem = ""

    def add_impressions(self, impressions: pa.Table) -> None:
        """Takes impressions that become examples: all of them before any block."""
        counts = count_rows(impressions, self._config)
        with self._lock:
            self._counts.update(counts)

    def add(self, block: UserBlock) -> None:
        """Takes all impressions of some users."""
        split = self._made_split()
        if split is None:
            return
        assigned = split.assign(block.table)
        used = np.array([part.split == EVAL for part in assigned.parts], bool)
        rows = np.bincount(
            assigned.numbers[assigned.numbers >= 0], minlength=len(used)
        ).astype(int)
        evaluated = np.zeros(len(block), bool)
        inside = assigned.numbers >= 0
        evaluated[inside] = used[assigned.numbers[inside]]
        counts = self._scored(block, evaluated)
        with self._lock:
            self._rows[EVAL] += int(rows[used].sum())
            self._rows[TRAIN] += int(rows[~used].sum())
            self._of_slices.update(counts)

    def result(self) -> SplitRows:
        """The counts."""
        self._made_split()
        total = sum(self._counts.values())
        train, evaluated = self._rows[TRAIN], self._rows[EVAL]
        slices = [
            SliceUsers(
                task,
                name,
                self._of_slices[task, name, "rows"],
                self._of_slices[task, name, "scored"],
            )
            for task in self._tasks
            for name in SLICES
        ]
        return SplitRows(
            train,
            evaluated,
            total - train - evaluated,
            self._described.get("splits", {}),
            self._described.get("warnings", []),
            self._problem,
            slices if not self._problem else [],
        )

    def _made_split(self) -> Split | None:
        with self._lock:
            if self._split is None and not self._problem:
                try:
                    split = make_split(self._config, self._counts)
                    self._described = split.describe(self._counts)
                    self._split = split
                except EmptySplitError as error:
                    self._problem = str(error)
            return self._split

    def _scored(
        self, block: UserBlock, evaluated: np.ndarray
    ) -> Counter[tuple[str, str, str]]:
        rows = np.flatnonzero(evaluated)
        user, group = block.user[rows], block.group[rows]
        new_video = block.known("is_new_video")[0][rows] == 1
        masks = {
            ALL: np.ones(len(rows), bool),
            **{name: group == place for place, name in enumerate(USER_GROUPS)},
            NEW_VIDEO: new_video,
            REGULAR_VIDEO: ~new_video,
        }
        counts: Counter[tuple[str, str, str]] = Counter()
        for task in self._tasks:
            label = block.label(task)[rows]
            for name, mask in masks.items():
                known = mask & (label >= 0)
                shown = np.bincount(user[known])
                positive = np.bincount(user[known], label[known] == 1)
                counts[task, name, "rows"] = int(known.sum())
                scored = (positive > 0) & (positive < shown)
                counts[task, name, "scored"] = int(scored.sum())
        return counts
