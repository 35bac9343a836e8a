"""Avro files, each read as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from preprocessing.readers.avro_file import AvroFile, open_avro
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.storage.files import DataFile, SourceError, find_files

_BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class AvroReader:
    """Avro files in a folder and its sub-folders, or one file.

    Args:
        data_dir: Path or URI.
        patterns: What the files are called.
    """

    data_dir: str
    patterns: tuple[str, ...]
    is_typed = True
    is_sparse = False

    def files(self) -> list[DataFile]:
        """The log's files."""
        return find_files(self.data_dir, *self.patterns)

    def names(self, file: DataFile) -> list[str]:
        """The names of a file's columns."""
        with open_avro(file) as opened:
            return list(opened.types)

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """A file's columns; the file is one part."""
        with open_avro(file) as opened:
            _check_usable(opened, wanted, file.name)
            schema = pa.schema(
                (name, made.meant or pa.null()) for name, made in opened.types.items()
            )
        return TableFile(schema, [FilePart(file.path, file.name, -1, 0)])

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """The rows of one file."""
        first_row = 0
        with open_avro(DataFile(part.path, part.name)) as opened:
            columns = [name for name in wanted.names if name in opened.types]
            for rows in opened.batches(columns, _BATCH_ROWS):
                yield RawRows(rows, first_row, [])
                first_row += rows.num_rows


def _check_usable(opened: AvroFile, wanted: Wanted, file: str) -> None:
    for name in wanted.names:
        if name in opened.types and opened.types[name].meant is None:
            raise SourceError(
                f"{file}: column '{name}' has an unusable type; expected one "
                f"type, with null or without. Received: {opened.types[name].decoded}"
            )
