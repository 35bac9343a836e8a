"""A table of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class NumberTable:
    """A table of texts.

    Attributes:
        title: What it is of.
        columns: Their heads.
        rows: Their cells, a text for each column.
        note: What one must know to read it; may be empty.
        texts: Places of columns that hold words and not numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    texts: tuple[int, ...] = (0,)
