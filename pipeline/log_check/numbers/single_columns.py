"""How well one column alone ranks each user's impressions: what leaks a label does.

GAUC of a column by itself, for each label: by its numbers as they are, and by the label
rate of each of its values. The rates of a user's values are those of the other half of
the users, so that none is known by the rows that it is judged on.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import InputConfig
from pipeline.log_check.gauc_function import gauc_function
from pipeline.log_check.user_block import UserBlock
from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import first_elements
from preprocessing.contract.column_names import UNKNOWN_LABEL
from preprocessing.transform.input_specs import input_specs

MOST_ROWS = (
    200_000  # of users that are drawn; more would show no leak that these do not
)
_BINS = 256  # of a column of numbers, where rates are taken
_PRIOR_ROWS = 5.0  # as if each value had been seen so often with the mean label

How = Literal["values", "rates"]


@dataclass(frozen=True)
class SingleColumn:
    """A column's ranking by itself.

    Attributes:
        label: The label that it was judged by.
        column: The column.
        how: By its `values`, or by the label's `rates` of its values.
        across: Whether users were compared with one another (AUC), as is done for
            properties of users, which do not differ within one.
        gauc: GAUC; None if no user has both labels.
        scored: Users with both labels.
    """

    label: str
    column: str
    how: How
    across: bool
    gauc: float | None
    scored: int

    @property
    def strength(self) -> float:
        """From 0.5, no better than chance, to 1: in whichever direction it ranks."""
        return 0.5 if self.gauc is None else max(self.gauc, 1 - self.gauc)


class SingleColumns:
    """Draws whole users, and judges each of the model's inputs by them.

    Args:
        config: Says which columns the model reads.
        labels: Names of the labels.
        weighting: As in `poso_keras.gauc`.
    """

    def __init__(self, config: InputConfig, labels: Iterable[str], weighting: str):
        self._labels = tuple(labels)
        self._weighting = weighting
        specs = input_specs(config.features, config.transform)
        used = [spec for spec in specs if spec.kind != "history"]
        extras = {extra.name for extra in config.features.extra}
        self._across = {
            spec.column
            for spec in used
            if spec.side == "user" and spec.column in extras
        }
        columns = dict.fromkeys(spec.column for spec in used)
        # Nobody's own id tells impressions of one user apart.
        self._columns = [name for name in columns if name != "user_id"]
        self._lock = threading.Lock()
        self._blocks: list[tuple[str, pa.Table, np.ndarray]] = []
        self.rows = 0
        self.users = 0

    def add(self, block: UserBlock, every: int) -> None:
        """Takes every so many-th user of a block, with all their impressions."""
        drawn = block.user % every == 0
        names = dict.fromkeys([*self._columns, *self._labels])
        table = block.table.select(list(names)).filter(pa.array(drawn))
        user = block.user[drawn] // every
        if not len(user):
            return
        with self._lock:
            first = block.user_ids[0].as_py()
            self._blocks.append((first, table, user))
            self.rows += len(user)
            self.users += int(user[-1]) + 1

    def result(self, threads: int) -> list[SingleColumn]:
        """Every column for every label, the strongest first."""
        if not self._blocks:
            return []
        self._blocks.sort(key=lambda block: block[0])
        table = pa.concat_tables([block[1] for block in self._blocks])
        sizes = [int(user[-1]) + 1 for _, _, user in self._blocks]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        user = np.concatenate(
            [
                user + start
                for (_, _, user), start in zip(self._blocks, starts, strict=True)
            ]
        )
        labels = {
            name: pc.fill_null(table[name], UNKNOWN_LABEL).to_numpy()
            for name in self._labels
        }
        with ThreadPoolExecutor(threads) as pool:
            judged = pool.map(
                lambda name: list(
                    self._judge(name, to_array(table[name]), labels, user)
                ),
                self._columns,
            )
            found = [each for of_column in judged for each in of_column]
        return sorted(found, key=_place)

    def _judge(
        self,
        name: str,
        column: pa.Array,
        labels: dict[str, np.ndarray],
        user: np.ndarray,
    ) -> Iterable[SingleColumn]:
        across = name in self._across
        judged_within = np.zeros_like(user) if across else user
        ranks, codes = _ranks_and_codes(column)
        for label, known in labels.items():
            by: dict[How, np.ndarray] = {"rates": _rates(codes, known, user % 2 == 0)}
            if ranks is not None:
                by["values"] = ranks
            for how, scores in by.items():
                result = gauc_function()(
                    known,
                    scores,
                    judged_within,
                    weighting=self._weighting,
                    unknown_label=UNKNOWN_LABEL,
                )
                value = None if math.isnan(result.value) else float(result.value)
                yield SingleColumn(label, name, how, across, value, result.users_scored)


def _place(each: SingleColumn) -> tuple[float, str, str, bool]:
    """The strongest first, and of two ways of one column the simpler one."""
    return (-each.strength, each.label, each.column, each.how == "rates")


def _ranks_and_codes(column: pa.Array) -> tuple[np.ndarray | None, np.ndarray]:
    """Ranks of numbers, of a null the lowest, and a whole number for each value.

    There are no ranks of texts. Codes of many numbers are those of bins of equal
    counts; of lists they are the first entry's.
    """
    if pa.types.is_list(column.type):
        column = first_elements(column)
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        encoded = column.dictionary_encode() if not _encoded(column) else column
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return None, codes.astype(np.int64) + 1
    null = column.is_null().to_numpy(zero_copy_only=False)
    values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    values[np.isnan(values)] = 0.0
    values[null] = -np.inf
    distinct, ranks = np.unique(values, return_inverse=True)
    codes = ranks
    if len(distinct) > _BINS:
        ends = np.quantile(values[~null], np.linspace(0, 1, _BINS)[1:-1])
        codes = 1 + np.searchsorted(np.unique(ends), values, side="right")
        codes[null] = 0
    return ranks.astype(np.int64), codes.astype(np.int64)


def _encoded(column: pa.Array) -> bool:
    return pa.types.is_dictionary(column.type)


def _rates(codes: np.ndarray, label: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Of each row the rank of its value by the label rate among the other half's users.

    Rows of one user all belong to one half, so ranks of the two need not compare.
    """
    scores = np.zeros(len(codes), np.int64)
    count = int(codes.max()) + 1
    for of_rates, of_scores in ((half, ~half), (~half, half)):
        known = of_rates & (label != UNKNOWN_LABEL)
        positives = np.bincount(codes[known], label[known], count)
        rows = np.bincount(codes[known], minlength=count)
        mean = positives.sum() / max(1, rows.sum())
        rate = (positives + _PRIOR_ROWS * mean) / (rows + _PRIOR_ROWS)
        ranks = np.unique(rate, return_inverse=True)[1]
        scores[of_scores] = ranks[codes[of_scores]]
    return scores
