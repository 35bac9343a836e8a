"""Delta tables: the Parquet files of one version, read by row group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from preprocessing.readers.delta_table import LiveFiles, live_files
from preprocessing.readers.parquet import ParquetReader
from preprocessing.readers.reader import FilePart, RawRows, TableFile, Wanted
from preprocessing.storage.files import DataFile
from preprocessing.storage.folder_columns import folder_values


@dataclass(frozen=True)
class DeltaReader:
    """A Delta table.

    Of a file that was written before the table got a column, this column is null.

    Args:
        data_dir: The table's folder: a path or a URI.
        version: Which version is read; None for the newest, once for all of a reader.
    """

    data_dir: str
    version: int | None = None
    is_typed = True
    is_sparse = False

    @cached_property
    def table(self) -> LiveFiles:
        """What the table consists of.

        Raises:
            SourceError: It cannot be used.
        """
        return live_files(self.data_dir, self.version)

    def files(self) -> list[DataFile]:
        """The files that hold the table's rows."""
        return self.table.files

    def names(self, file: DataFile) -> list[str]:
        """The names of the table's columns."""
        return self.table.columns

    def describe(self, file: DataFile, wanted: Wanted) -> TableFile:
        """The table's columns as a file has them, and one part per row group."""
        schema, parts = self._parquet.describe(file, wanted)
        assert schema is not None
        later = [name for name in self.table.columns if name not in schema.names]
        for name in later:
            if name not in folder_values(file.name):
                schema = schema.append(pa.field(name, pa.null()))
        return TableFile(schema, parts)

    def read(self, part: FilePart, wanted: Wanted) -> Iterator[RawRows]:
        """The rows of one row group."""
        return self._parquet.read(part, wanted)

    @property
    def _parquet(self) -> ParquetReader:
        return ParquetReader(self.data_dir, ())
