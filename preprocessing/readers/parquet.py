"""Parquet files, read by row group."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from preprocessing.readers.plain_files import PlainFiles
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.readers.table_formats import check_plain_files
from preprocessing.storage.files import DataFile
from preprocessing.storage.parquet import open_parquet

_BATCH_ROWS = 1 << 17


class ParquetReader(PlainFiles):
    """Parquet files in a folder and its sub-folders, or one file."""

    def files(self) -> list[DataFile]:
        """The log's files."""
        check_plain_files(self.data_dir)
        return super().files()

    def names(self, file: DataFile) -> list[str]:
        """The names of a file's columns."""
        with open_parquet(file.path, file.name) as opened:
            return list(opened.schema_arrow.names)

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """A file's columns, and one part per row group."""
        with open_parquet(file.path, file.name) as opened:
            metadata = opened.metadata
            schema = metadata.schema.to_arrow_schema()
        parts, first_row = [], 0
        for group in range(metadata.num_row_groups):
            parts.append(FilePart(file.path, file.name, group, first_row))
            first_row += metadata.row_group(group).num_rows
        return TableFile(schema, parts)

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """The rows of one row group."""
        first_row = part.first_row
        with open_parquet(part.path, part.name) as file:
            columns = [name for name in wanted.names if name in file.schema_arrow.names]
            for batch in file.iter_batches(
                _BATCH_ROWS, row_groups=[part.row_group], columns=columns
            ):
                yield RawRows(pa.Table.from_batches([batch]), first_row, [])
                first_row += batch.num_rows
