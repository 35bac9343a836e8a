"""What every reader of tables offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import pyarrow as pa

from preprocessing.storage.files import DataFile


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
        table: Only columns that are needed: of a reader under the file's names, of a
            source under the contract's.
        first_row: Number of its first row within the file.
        malformed: Lines that could not be divided into the file's columns.
        unclosed: Lines with a quote that is not closed, or too long to be read.
        left_out: How many further rows were read and are not asked for.
    """

    table: pa.Table
    first_row: int
    malformed: list[str]
    unclosed: Sequence[str] = ()
    left_out: int = 0


class Wanted(NamedTuple):
    """Columns to be read.

    Attributes:
        names: Their names in the file, each once; a file may lack some.
        lists: Those that may hold lists; the others hold one value a row.
    """

    names: tuple[str, ...]
    lists: frozenset[str] = frozenset()


class TableFile(NamedTuple):
    """What is known of a file before its rows are read.

    Attributes:
        schema: Its columns and their types; None if it has no rows to tell them by.
        parts: What can be read by itself.
    """

    schema: pa.Schema | None
    parts: list[FilePart]


class TableReader(Protocol):
    """Files of one format.

    Attributes:
        is_typed: Whether the files tell the types of columns; else all cells are text.
        is_sparse: Whether a file may lack columns that its log has.
    """

    is_typed: bool
    is_sparse: bool

    def files(self) -> list[DataFile]:
        """The log's files.

        Raises:
            SourceError: There are none, or they are no plain files of rows.
        """

    def names(self, file: DataFile) -> list[str]:
        """The names of a file's columns, whether they are wanted or not.

        Raises:
            SourceError: The file cannot be read.
        """

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """A file's columns and parts.

        Raises:
            SourceError: The file cannot be read.
        """

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """Columns of one part, in the order in which they are wanted.

        Raises:
            SourceError: The file cannot be read to its end.
        """
