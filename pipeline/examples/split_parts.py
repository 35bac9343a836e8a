"""Parts of splits: the rows that go into files of their own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from preprocessing.arrays.days import date_of


class Part(NamedTuple):
    """Some rows of a split.

    Attributes:
        split: The split's name.
        day: The rows' day, as days since 1970; None for rows of any day.
    """

    split: str
    day: int | None = None

    def file_name(self, number: int, files: int) -> str:
        """The name of one of the part's files, numbered from 0."""
        day = "" if self.day is None else f"-{date_of(self.day)}"
        return f"examples{day}-{number:05d}-of-{files:05d}.gz"


class Assigned(NamedTuple):
    """Where the rows of a table belong.

    Attributes:
        numbers: Of each row its part, as an index into `parts`, int64 [rows]; -1 for a
            row of no split.
        parts: Those that have rows.
    """

    numbers: np.ndarray
    parts: list[Part]
