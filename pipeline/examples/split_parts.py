"""Parts of splits: the rows that go into files of their own."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

import numpy as np

from preprocessing.arrays.days import date_of, day_of

# The files of a part that has a day: the day, the file's number, how many there are.
DAY_FILE = re.compile(r"examples-(\d{4}-\d\d-\d\d)-(\d{5,})-of-(\d{5,})\.gz")


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


def day_of_file(name: str) -> int | None:
    """The day of the examples of a file, by its name; None where it tells none."""
    match = DAY_FILE.fullmatch(name)
    return day_of(datetime.date.fromisoformat(match[1])) if match else None


class Assigned(NamedTuple):
    """Where the rows of a table belong.

    Attributes:
        numbers: Of each row its part, as an index into `parts`, int64 [rows]; -1 for a
            row of no split.
        parts: Those that have rows.
    """

    numbers: np.ndarray
    parts: list[Part]
