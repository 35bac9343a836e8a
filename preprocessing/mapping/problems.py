"""What is wrong with rows whose columns could not be made."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


class RowProblems:
    """The first problem found with each row.

    Args:
        rows: How many rows there are.
    """

    def __init__(self, rows: int):
        self._codes = np.full(rows, -1, dtype=np.int32)
        self._texts: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, broken: np.ndarray, text: str) -> None:
        """Notes a problem of the rows that have none yet.

        Args:
            broken: Which rows have it, bool [rows].
            text: What it is; a reason for a reject.
        """
        if broken.any():
            self._codes[broken & (self._codes < 0)] = len(self._texts)
            self._texts.append(text)

    def of(self, rows: np.ndarray) -> RowProblems:
        """The problems of some of the rows.

        Args:
            rows: Which, bool [rows].
        """
        chosen = RowProblems(int(rows.sum()))
        codes = self._codes[rows]
        if (codes >= 0).any():
            chosen._codes, chosen._texts = codes, list(self._texts)
        return chosen

    def column(self) -> pa.Array:
        """The problems, pa.string() [rows]; null where there is none."""
        codes = pa.array(self._codes, mask=self._codes < 0)
        return pa.array(self._texts, pa.string()).take(codes)
