"""Parquet files with the contract's columns, read by row group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import (
    SourceError,
    check_columns,
    check_types,
    impression_schema,
)
from preprocessing.sources.source import RawRows, Split
from preprocessing.storage.files import DataFile, find_files, open_file

_BATCH_ROWS = 1 << 17


@dataclass(frozen=True)
class ParquetSource:
    """Every `*.parquet` file in a folder and its sub-folders, or one file.

    Args:
        data_dir: Path or URI.
        config: The feature configuration.
    """

    data_dir: str
    config: FeatureConfig

    def splits(self) -> list[Split]:
        """One split a row group."""
        files = find_files(self.data_dir, "*.parquet")
        return [split for file in files for split in self._row_groups(file)]

    def read(self, split: Split) -> Iterator[RawRows]:
        """The rows of one row group."""
        first_row = split.first_row
        try:
            with open_file(split.path) as opened:
                file = pq.ParquetFile(opened)
                columns = [
                    name
                    for name in impression_schema(self.config).names
                    if name in file.schema_arrow.names
                ]
                for batch in file.iter_batches(
                    _BATCH_ROWS, row_groups=[split.row_group], columns=columns
                ):
                    yield RawRows(pa.Table.from_batches([batch]), first_row, [])
                    first_row += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _broken(split.name, error) from error

    def user_state(self) -> pa.Table | None:
        """None: such a log brings no state."""
        return None

    def _row_groups(self, file: DataFile) -> Iterator[Split]:
        try:
            with open_file(file.path) as opened:
                metadata = pq.ParquetFile(opened).metadata
                schema = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise _broken(file.name, error) from error
        check_columns(schema.names, file.name, self.config)
        check_types(schema, file.name, self.config)
        first_row = 0
        for group in range(metadata.num_row_groups):
            yield Split(file.path, file.name, group, first_row)
            first_row += metadata.row_group(group).num_rows


def _broken(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"{name} is no whole Parquet file (truncated or damaged?): {error}"
    )
