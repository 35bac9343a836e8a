"""Splits feature tables by user: a share of the users to train on, the others to judge.

The paper's set-up for MovieLens (Sec. 5.3): users who are evaluated were never trained
on, so all of them are cold to the model.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import SplitConfig
from pipeline.examples.day_split import EVAL, TRAIN, EmptySplitError
from pipeline.examples.split_parts import Assigned, Part
from preprocessing.engine.partition import assign_shards

_PARTS = 10_000


class UserSplit:
    """Assigns users to splits by a hash of their id, the same in every run.

    Args:
        config: Gives `train_user_share`.
    """

    def __init__(self, config: SplitConfig):
        self._share = config.train_user_share

    def select(self, table: pa.Table, split: str) -> pa.Table:
        """The rows of a feature table whose user belongs to a split."""
        trained = self._trained(table)
        return table.filter(pa.array(trained if split == TRAIN else ~trained))

    def assign(self, table: pa.Table) -> Assigned:
        """Where the rows of a feature table belong."""
        numbers = np.where(self._trained(table), 0, 1)
        return Assigned(numbers, [Part(TRAIN), Part(EVAL)])

    def count(self, table: pa.Table) -> Counter[int]:
        """Rows by split, as indices into (train, eval)."""
        trained = int(self._trained(table).sum())
        return Counter({0: trained, 1: table.num_rows - trained})

    def describe(self, counts: Counter[int]) -> dict[str, Any]:
        """What each split holds, for the log's summary.

        Raises:
            EmptySplitError: A split has no row.
        """
        names = {"users to train on": TRAIN, "users to evaluate on": EVAL}
        rows = {name: counts[index] for index, name in enumerate(names)}
        for name, count in rows.items():
            if not count:
                raise EmptySplitError(
                    f"the {names[name]} split has no impressions: no user falls into "
                    f"it. Change split.train_user_share ({self._share:g})"
                )
        return {"outside_splits": 0, "days": rows, "splits": names, "warnings": []}

    def _trained(self, table: pa.Table) -> np.ndarray:
        if not table.num_rows:
            return np.zeros(0, dtype=bool)
        return assign_shards(table["user_id"], _PARTS) < self._share * _PARTS
