"""Parquet files with the contract's columns, read by row group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import check_columns, check_types, impression_schema
from preprocessing.sources.null_marks import without_null_marks
from preprocessing.sources.partitions import folder_values, with_folder_columns
from preprocessing.sources.source import FilePart, RawRows
from preprocessing.sources.table_formats import check_plain_files
from preprocessing.storage.files import DataFile, find_files
from preprocessing.storage.parquet import open_parquet

_BATCH_ROWS = 1 << 17


@dataclass(frozen=True)
class ParquetSource:
    """Every `*.parquet` file in a folder and its sub-folders, or one file.

    Args:
        data_dir: Path or URI.
        config: The feature configuration.
        null_values: Text cells that hold no value, beside the empty ones.
    """

    data_dir: str
    config: FeatureConfig
    null_values: tuple[str, ...] = ()

    def parts(self) -> list[FilePart]:
        """One part per row group."""
        check_plain_files(self.data_dir)
        files = find_files(self.data_dir, "*.parquet")
        return [part for file in files for part in self._row_groups(file)]

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one row group."""
        first_row = part.first_row
        wanted = impression_schema(self.config).names
        with open_parquet(part.path, part.name) as file:
            columns = [name for name in wanted if name in file.schema_arrow.names]
            for batch in file.iter_batches(
                _BATCH_ROWS, row_groups=[part.row_group], columns=columns
            ):
                rows = pa.Table.from_batches([batch])
                rows = with_folder_columns(rows, part.name, wanted)
                rows = without_null_marks(rows, self.null_values)
                yield RawRows(rows, first_row, [])
                first_row += batch.num_rows

    def user_state(self) -> pa.Table | None:
        """None: such a log brings no state."""
        return None

    def _row_groups(self, file: DataFile) -> Iterator[FilePart]:
        with open_parquet(file.path, file.name) as opened:
            metadata = opened.metadata
            schema = metadata.schema.to_arrow_schema()
        told = folder_values(file.name).keys() - set(schema.names)
        check_columns([*schema.names, *sorted(told)], file.name, self.config)
        check_types(schema, file.name, self.config)
        first_row = 0
        for group in range(metadata.num_row_groups):
            yield FilePart(file.path, file.name, group, first_row)
            first_row += metadata.row_group(group).num_rows


def read_names(file: DataFile) -> list[str]:
    """The names of a Parquet file's columns.

    Raises:
        SourceError: The file cannot be read.
    """
    with open_parquet(file.path, file.name) as opened:
        return list(opened.schema_arrow.names)
