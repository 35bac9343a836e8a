"""Rows from some places of Parquet and TFRecord files."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.storage.files import DataFile, SourceError, open_file

_ROWS = 4096  # of each row group, and of each TFRecord file
_ROW_GROUPS = 4
_EXAMPLE_BYTES = 250  # of a log's example, about


class BinarySample(NamedTuple):
    """Some of a file's rows.

    Attributes:
        table: The rows with the file's own types.
        total_rows: Of the whole file; of TFRecord an estimate.
        whole: Whether these are all rows.
    """

    table: pa.Table
    total_rows: int
    whole: bool


def parquet_names(file: DataFile) -> tuple[str, ...]:
    """The columns of a Parquet file.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        with open_file(file.path) as opened:
            return tuple(pq.read_schema(opened).names)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{file.name} cannot be read as Parquet: {error}") from error


def parquet_sample(file: DataFile) -> BinarySample:
    """The first rows of some row groups, the first and the last among them.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        with open_file(file.path) as opened:
            parquet = pq.ParquetFile(opened)
            groups = parquet.metadata.num_row_groups
            count = min(groups, _ROW_GROUPS)
            chosen = {(groups - 1) * n // max(count - 1, 1) for n in range(count)}
            tables = [parquet.schema_arrow.empty_table()]
            for group in sorted(chosen):
                batches = parquet.iter_batches(_ROWS, row_groups=[group])
                tables += [
                    pa.Table.from_batches([batch]) for batch in islice(batches, 1)
                ]
            table = pa.concat_tables(tables).combine_chunks()
            total = parquet.metadata.num_rows
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{file.name} cannot be read as Parquet: {error}") from error
    return BinarySample(table, total, table.num_rows == total)


def tfrecord_sample(file: DataFile) -> BinarySample:
    """The first examples of a TFRecord file.

    Raises:
        SourceError: The file cannot be read.
    """
    from preprocessing.readers.reader import FilePart, Wanted
    from preprocessing.readers.tfrecord import TFRecordReader

    reader = TFRecordReader(file.path, ("*",))
    names = reader.names(file)
    wanted = Wanted(tuple(names), frozenset(names))
    first = next(reader.read(FilePart(file.path, file.name, -1, 0), wanted), None)
    if not names or first is None:
        return BinarySample(pa.table({}), 0, True)
    batch = first.table.slice(0, _ROWS).combine_chunks()
    columns = {
        name: _single(batch.column(place))
        for place, name in enumerate(batch.schema.names)
    }
    rows = batch.num_rows
    with open_file(file.path) as opened:
        size = opened.size()
    whole = rows < _ROWS
    total = rows if whole else max(rows, size // _EXAMPLE_BYTES)
    return BinarySample(pa.table(columns), total, whole)


def _single(column: pa.Array) -> pa.Array:
    """Values in place of lists where no example has more than one."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return column
    lists = column.to_pylist()
    if any(values is not None and len(values) > 1 for values in lists):
        return column
    return pa.array(
        [values[0] if values else None for values in lists], column.type.value_type
    )
