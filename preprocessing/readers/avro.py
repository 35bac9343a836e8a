"""Avro files, each read as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from preprocessing.readers.avro_file import AvroFile, open_avro
from preprocessing.readers.plain_files import PlainFiles
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.storage.files import DataFile, SourceError

_BATCH_ROWS = 1 << 16


class AvroReader(PlainFiles):
    """Avro files in a folder and its sub-folders, or one file."""

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
