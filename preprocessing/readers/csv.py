"""CSV files: cells between delimiters, one record a line, UTF-8.

Cells are read as text and converted later, so that one bad cell rejects one row, not
the file.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pa_csv

from preprocessing.readers.csv_dialect import PLAIN, CsvDialect
from preprocessing.readers.csv_header import read_header
from preprocessing.readers.csv_records import record_blocks, split_header
from preprocessing.readers.plain_files import PlainFiles
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.storage.decompression import open_decompressed
from preprocessing.storage.files import DataFile, SourceError

_BLOCK_BYTES = 1 << 24
_RECORD_BYTES = 1 << 26


@dataclass(frozen=True)
class CsvReader(PlainFiles):
    """CSV files in a folder and its sub-folders, or one file.

    Args:
        data_dir: Path or URI.
        patterns: What the files are called.
        dialect: How they are written.
    """

    dialect: CsvDialect = PLAIN
    is_typed = False

    def names(self, file: DataFile) -> list[str]:
        """The names of a file's columns."""
        return read_header(file, self.dialect)

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """A file's columns, as bytes; the file is one part."""
        header = read_header(file, self.dialect)
        schema = pa.schema([(name, pa.binary()) for name in header])
        return TableFile(schema, [FilePart(file.path, file.name, -1, 0)])

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """The rows of one file."""
        file = DataFile(part.path, part.name)
        header = read_header(file, self.dialect)
        found = [name for name in wanted.names if name in header]
        return read_cells(file, found, self.dialect)


def read_cells(
    file: DataFile, columns: Iterable[str], dialect: CsvDialect = PLAIN
) -> Iterator[RawRows]:
    """Columns of a CSV file as cells (bytes), block by block.

    Lines with another number of cells than the header are handed over as malformed,
    those with a quote that is not closed as unclosed.

    Raises:
        SourceError: The file cannot be read to its end.
    """
    columns = list(columns)
    header = read_header(file, dialect)
    first_row = 0
    try:
        with open_decompressed(file.path, dialect.compression) as opened:
            line, begin = split_header(opened, _BLOCK_BYTES)
            if dialect.header is not None:
                begin = line.removeprefix(codecs.BOM_UTF8) + begin
            blocks = record_blocks(
                opened,
                begin,
                _BLOCK_BYTES,
                _RECORD_BYTES,
                dialect.delimiter,
                dialect.quoting,
            )
            for content, given_up in blocks:
                table, malformed = _parse(content, header, columns, dialect)
                lines = [line.decode(errors="backslashreplace") for line in given_up]
                yield RawRows(table, first_row, malformed, lines)
                first_row += table.num_rows
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file.name} cannot be read as CSV: {error}") from error


def _parse(
    content: bytes, header: list[str], columns: list[str], dialect: CsvDialect
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
        parse_options=pa_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char='"' if dialect.quoting else False,
            invalid_row_handler=keep,
        ),
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
