"""What every source of impressions offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import pyarrow as pa


class FilePart(NamedTuple):
    """A part of the input that is read by itself, in parallel with others.

    Attributes:
        path: The file.
        name: Its name relative to the data folder.
        row_group: Row group of a Parquet file; -1 for the whole file.
        first_row: Number of its first row within the file.
    """

    path: str
    name: str
    row_group: int
    first_row: int


class RawRows(NamedTuple):
    """Rows as a file holds them, some tens of thousands at a time.

    Attributes:
        table: Under the contract's names; only columns that are needed.
        first_row: Number of its first row within the file.
        malformed: Lines that could not be divided into the file's columns.
        unclosed: Lines with a quote that is not closed, or too long to be read.
    """

    table: pa.Table
    first_row: int
    malformed: list[str]
    unclosed: Sequence[str] = ()


class Source(Protocol):
    """An impression log in some format."""

    def parts(self) -> list[FilePart]:
        """The input's parts; their columns have been checked.

        Raises:
            SourceError: Files are missing, broken, or lack a column.
        """

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one part.

        Raises:
            SourceError: The file cannot be read to its end.
        """

    def user_state(self) -> pa.Table | None:
        """What the source itself tells of users before the log.

        Returns:
            By `state.schema.USER_STATE_SCHEMA`; None if it tells nothing.

        Raises:
            SourceError: The file that tells it cannot be used.
        """
