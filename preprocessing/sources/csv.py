"""CSV files with the contract's columns: a header line, commas, UTF-8.

Cells are read as text and converted later, so that one bad cell rejects one row, not
the file. A cell of a list column holds its entries separated by commas, hence quoted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pa_csv

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import check_columns, impression_schema
from preprocessing.sources.csv_records import record_blocks, split_header
from preprocessing.sources.null_marks import without_null_marks
from preprocessing.sources.partitions import folder_values, with_folder_columns
from preprocessing.sources.source import FilePart, RawRows
from preprocessing.storage.file_kinds import EMPTY, TEXT, UTF16, file_kind
from preprocessing.storage.files import DataFile, SourceError, find_files, open_file

_BLOCK_BYTES = 1 << 24
_RECORD_BYTES = 1 << 26


@dataclass(frozen=True)
class CsvSource:
    """Every `*.csv` file in a folder and its sub-folders, or one file.

    Args:
        data_dir: Path or URI.
        config: The feature configuration.
        null_values: Cells that hold no value, beside the empty ones.
    """

    data_dir: str
    config: FeatureConfig
    null_values: tuple[str, ...] = ()

    def parts(self) -> list[FilePart]:
        """One part per file."""
        parts = []
        for file in find_files(self.data_dir, "*.csv"):
            header = read_header(file)
            told = folder_values(file.name).keys() - set(header)
            check_columns([*header, *sorted(told)], file.name, self.config)
            parts.append(FilePart(file.path, file.name, -1, 0))
        return parts

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one file."""
        file = DataFile(part.path, part.name)
        header = read_header(file)
        wanted = impression_schema(self.config).names
        for rows in read_cells(file, [name for name in wanted if name in header]):
            cells = with_folder_columns(rows.table, part.name, wanted)
            cells = without_null_marks(cells, self.null_values)
            yield rows._replace(table=cells)

    def user_state(self) -> pa.Table | None:
        """None: such a log brings no state."""
        return None


def read_header(file: DataFile) -> list[str]:
    """The names in a CSV file's first line.

    Raises:
        SourceError: The file has no such line or cannot be read.
    """
    try:
        with open_file(file.path) as opened:
            line, _ = split_header(opened, _BLOCK_BYTES)
            _check_kind(file, line)
            text = line.decode("utf-8-sig", errors="replace").strip("\r\n")
            header = next(csv.reader([text]), [])
    except (OSError, csv.Error) as error:
        raise SourceError(f"{file.name} cannot be read as CSV: {error}") from error
    if not header:
        raise SourceError(f"{file.name} is empty: expected a header line")
    _check_delimiter(header, file.name)
    return header


def _check_kind(file: DataFile, line: bytes) -> None:
    kind = file_kind(file.path)
    if kind in (EMPTY, TEXT) or not (kind or b"\0" in line):
        return
    hint = "; iconv -f UTF-16 -t UTF-8 converts it" if kind == UTF16 else ""
    raise SourceError(
        f"{file.name} is no CSV file: it seems to be {kind or 'binary'}. Expected "
        f"UTF-8 text with a header line{hint}"
    )


def _check_delimiter(header: list[str], name: str) -> None:
    for mark, called in (
        (";", "semicolons"),
        ("\t", "tabs"),
        ("|", "vertical bars"),
        ("\x01", "Hive's ^A"),
    ):
        if len(header) == 1 and mark in header[0]:
            raise SourceError(
                f"{name}: its header is one column with {called} in it. Expected "
                f"commas between columns. Received: {header[0][:200]!r}"
            )


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


def read_cells(file: DataFile, columns: Iterable[str]) -> Iterator[RawRows]:
    """Columns of a CSV file as cells (bytes), block by block.

    Lines with another number of cells than the header are handed over as malformed,
    those with a quote that is not closed as unclosed.

    Raises:
        SourceError: The file cannot be read to its end.
    """
    columns = list(columns)
    header = read_header(file)
    first_row = 0
    try:
        with open_file(file.path) as opened:
            _, begin = split_header(opened, _BLOCK_BYTES)
            blocks = record_blocks(opened, begin, _BLOCK_BYTES, _RECORD_BYTES)
            for content, given_up in blocks:
                table, malformed = _parse(content, header, columns)
                lines = [line.decode(errors="backslashreplace") for line in given_up]
                yield RawRows(table, first_row, malformed, lines)
                first_row += table.num_rows
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file.name} cannot be read as CSV: {error}") from error


def _parse(
    content: bytes, header: list[str], columns: list[str]
) -> tuple[pa.Table, list[str]]:
    """Columns of whole records as cells, and records of another length."""
    malformed: list[str] = []
    if not content:
        return pa.table({name: pa.array([], pa.binary()) for name in columns}), []

    def keep(row: pa_csv.InvalidRow) -> str:
        malformed.append(row.text)
        return "skip"

    # PyArrow fails on a line of another length that is not UTF-8, so that each byte of
    # such a block becomes a character and is a byte again afterwards.
    utf8 = _is_utf8(content)
    if not utf8:
        content = content.decode("latin-1").encode()
    table = pa_csv.read_csv(
        pa.BufferReader(content),
        read_options=pa_csv.ReadOptions(
            use_threads=False, block_size=len(content) + 1, column_names=header
        ),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=keep),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.binary()), include_columns=columns
        ),
    )
    if not utf8:
        table = pa.table({name: _bytes(table[name]) for name in columns})
        malformed = [
            line.encode("latin-1").decode(errors="backslashreplace")
            for line in malformed
        ]
    return table, malformed


def _is_utf8(content: bytes) -> bool:
    text = pa.array([content], pa.binary())
    try:
        text.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _bytes(characters: pa.ChunkedArray) -> pa.Array:
    """Each character below 256 as a byte."""
    cells = (cell.decode().encode("latin-1") for cell in characters.to_pylist())
    return pa.array(cells, pa.binary())
