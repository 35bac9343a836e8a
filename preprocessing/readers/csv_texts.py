"""Small CSV files, read whole: tables that are looked up in."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from preprocessing.readers.csv import read_cells
from preprocessing.readers.csv_header import read_header
from preprocessing.storage.files import DataFile, SourceError


def read_texts(file: DataFile, columns: Iterable[str]) -> pa.Table:
    """Columns of a small CSV file as text, all rows at once.

    Raises:
        SourceError: A column is missing, a line has another number of cells, the
            file is not UTF-8, or it cannot be read.
    """
    columns = list(columns)
    check_header(file, columns)
    parts = list(read_cells(file, columns))
    bad = [line for part in parts for line in (*part.malformed, *part.unclosed)]
    if bad:
        line = bad[0]
        raise SourceError(f"{file.name} has a line of another length: {line[:200]!r}")
    schema = pa.schema([(name, pa.string()) for name in columns])
    try:
        return pa.concat_tables(
            [schema.empty_table(), *(part.table.cast(schema) for part in parts)]
        ).combine_chunks()
    except pa.ArrowInvalid as error:
        raise SourceError(f"{file.name} is not UTF-8: {error}") from error


def check_header(file: DataFile, columns: Iterable[str]) -> None:
    """Checks that a CSV file has columns.

    Raises:
        SourceError: One is missing, or the file has no header.
    """
    header = read_header(file)
    for name in columns:
        if name not in header:
            raise SourceError(
                f"{file.name}: column '{name}' is missing. "
                f"Received columns: {', '.join(header)}"
            )
