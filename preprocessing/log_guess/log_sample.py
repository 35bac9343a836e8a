"""A sample of a log: some rows from all over its files, and how much there is of it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from preprocessing.contract.config import SourceConfig
from preprocessing.log_guess.binary_sample import (
    BinarySample,
    parquet_sample,
    tfrecord_sample,
)
from preprocessing.log_guess.file_layouts import FileLayout
from preprocessing.log_guess.text_layout import TextLayout
from preprocessing.log_guess.text_sample import read_pieces, text_rows
from preprocessing.sources.null_marks import without_null_marks
from preprocessing.storage.files import DataFile
from preprocessing.storage.folder_columns import folder_values

_FILES = 12
_NULL_MARKS = ("", *SourceConfig(format="csv").null_values)


@dataclass(frozen=True)
class LogSample:
    """Rows of files of one layout.

    Attributes:
        layout: How the files are written.
        table: The rows [rows]; text has text columns, a text without a header the
            names column_1, column_2, ... What folders tell is among the columns.
        folder_columns: Names of the columns that the folders tell.
        total_rows: Of all files, an estimate unless `whole`.
        files_read: How many of the files the rows are from.
        whole: Whether the table is the whole log.
        to_end: Whether rows from the end of the last file are among them.
    """

    layout: FileLayout
    table: pa.Table
    folder_columns: tuple[str, ...]
    total_rows: int
    files_read: int
    whole: bool
    to_end: bool


def sample_log(layout: FileLayout) -> LogSample:
    """Reads some rows of some of the files, spread over all of them.

    At most twelve files are opened, and a megabyte read of each (or some thousand
    rows), so that the size of the log makes no difference.

    Raises:
        SourceError: A file cannot be read.
    """
    files = layout.files
    count = min(len(files), _FILES)
    chosen = sorted({(len(files) - 1) * n // max(count - 1, 1) for n in range(count)})
    told = sorted({name for file in files for name in folder_values(file.name)})
    tables: list[pa.Table] = []
    rows, whole, to_end = 0, len(chosen) == len(files), False
    for place in chosen:
        sample, to_end = _sample_file(files[place], layout)
        tables.append(_with_folders(sample.table, files[place], told))
        rows += sample.total_rows
        whole = whole and sample.whole
    table = _concatenated([t for t in tables if t.num_rows] or tables[:1])
    table = without_null_marks(table, _NULL_MARKS)
    columns = tuple(name for name in told if name not in layout.names)
    total = rows * len(files) // max(len(chosen), 1)
    return LogSample(layout, table, columns, total, len(chosen), whole, to_end or whole)


def column_names(layout: TextLayout) -> list[str]:
    """Names of a text's columns; made up where it has no header."""
    if layout.header:
        return [name.strip() for name in layout.header]
    return [f"column_{place + 1}" for place in range(layout.cells)]


def _sample_file(file: DataFile, layout: FileLayout) -> tuple[BinarySample, bool]:
    if layout.text is None:
        parquet = layout.content.format == "parquet"
        sample = parquet_sample(file) if parquet else tfrecord_sample(file)
        return sample, parquet or sample.whole
    pieces = read_pieces(file, layout.content.compression)
    rows = text_rows(pieces, layout.text)
    names = column_names(layout.text)
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    arrays = [pa.array(list(column), pa.string()) for column in columns]
    table = pa.Table.from_arrays(arrays, names=names)
    share = pieces.total_bytes / max(pieces.bytes_read, 1)
    return BinarySample(table, int(len(rows) * share), pieces.whole), pieces.to_end


def _with_folders(table: pa.Table, file: DataFile, told: list[str]) -> pa.Table:
    values = folder_values(file.name)
    for name in told:
        if name not in table.column_names:
            cells = pa.array([values.get(name)] * table.num_rows, pa.string())
            table = table.append_column(name, cells)
    return table


def _concatenated(tables: list[pa.Table]) -> pa.Table:
    """All rows; where files disagree on a column's type, its cells as text.

    A column that a file lacks is null in its rows.
    """
    kinds: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for column in table.schema:
            kinds.setdefault(column.name, set()).add(column.type)
    types = {name: _common_type(of_files) for name, of_files in kinds.items()}
    whole = [
        pa.table(
            {
                name: table[name].cast(kind)
                if name in table.column_names
                else pa.nulls(table.num_rows, kind)
                for name, kind in types.items()
            }
        )
        for table in tables
    ]
    return pa.concat_tables(whole).combine_chunks()


def _common_type(kinds: set[pa.DataType]) -> pa.DataType:
    known = kinds - {pa.null()}
    if len(known) > 1:
        return pa.string()
    return known.pop() if known else pa.null()
