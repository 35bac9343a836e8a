"""The columns of a CSV file, by its first line or as the configuration names them."""

from __future__ import annotations

import csv

from preprocessing.readers.csv_dialect import PLAIN, CsvDialect
from preprocessing.readers.csv_records import split_header
from preprocessing.storage.decompression import open_decompressed
from preprocessing.storage.file_kinds import EMPTY, TEXT, UTF16, content_kind
from preprocessing.storage.files import DataFile, SourceError

_BLOCK_BYTES = 1 << 24
_KIND_BYTES = 512
_SHOWN = 200
_DELIMITERS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "vertical bars",
    "\x01": "Hive's ^A",
}


def read_header(file: DataFile, dialect: CsvDialect = PLAIN) -> list[str]:
    """The names of a CSV file's columns.

    Raises:
        SourceError: The file has no first line to tell them, is written otherwise, or
            cannot be read.
    """
    try:
        with open_decompressed(file.path, dialect.compression) as opened:
            line, rest = split_header(opened, _BLOCK_BYTES)
        _check_kind(file, line, (line + rest)[:_KIND_BYTES])
        text = line.decode("utf-8-sig", errors="replace").strip("\r\n")
        rows = csv.reader(
            [text],
            delimiter=dialect.delimiter,
            quoting=csv.QUOTE_MINIMAL if dialect.quoting else csv.QUOTE_NONE,
        )
        cells = next(rows, [])
    except (OSError, csv.Error) as error:
        raise SourceError(f"{file.name} cannot be read as CSV: {error}") from error
    if dialect.header is None and not cells:
        raise SourceError(f"{file.name} is empty: expected a header line")
    if cells:
        _check_delimiter(cells, file.name, dialect)
    if dialect.header is None:
        return cells
    if cells and len(cells) != len(dialect.header) and '"' not in text:
        raise SourceError(
            f"{file.name}: source.header names {len(dialect.header)} columns, but its "
            f"first line has {len(cells)}. Received: {text[:_SHOWN]!r}"
        )
    return list(dialect.header)


def _check_kind(file: DataFile, line: bytes, begin: bytes) -> None:
    kind = content_kind(begin)
    if kind in (EMPTY, TEXT) or not (kind or b"\0" in line):
        return
    hint = "; iconv -f UTF-16 -t UTF-8 converts it" if kind == UTF16 else ""
    raise SourceError(
        f"{file.name} is no CSV file: it seems to be {kind or 'binary'}. Expected "
        f"UTF-8 text with a header line{hint}"
    )


def _check_delimiter(cells: list[str], name: str, dialect: CsvDialect) -> None:
    if len(cells) != 1:
        return
    expected = _DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
    for mark, called in _DELIMITERS.items():
        if mark != dialect.delimiter and mark in cells[0]:
            line = "header" if dialect.header is None else "first line"
            raise SourceError(
                f"{name}: its {line} is one column with {called} in it. Expected "
                f"{expected} between columns; source.delimiter: {mark!r} reads it as "
                f"it is. Received: {cells[0][:_SHOWN]!r}"
            )
