"""How somebody's CSV files are written."""

from __future__ import annotations

from typing import NamedTuple

from preprocessing.storage.decompression import AUTO


class CsvDialect(NamedTuple):
    """How CSV files are written.

    Attributes:
        delimiter: The character between cells.
        header: The columns' names; None for those of the first line.
        quoting: Whether double quotes enclose cells.
        compression: As `storage.decompression.open_decompressed` takes it.
    """

    delimiter: str = ","
    header: tuple[str, ...] | None = None
    quoting: bool = True
    compression: str = AUTO


PLAIN = CsvDialect()
