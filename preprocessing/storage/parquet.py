"""Parquet files: opened for reading, and written in a layout that suits them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.storage.file_kinds import seems_to_be
from preprocessing.storage.files import SourceError, create_file, open_file

ROW_GROUP_ROWS = 1 << 16


@contextmanager
def open_parquet(
    path: str, name: str = "", error: type[ValueError] = SourceError
) -> Iterator[pq.ParquetFile]:
    """Opens a Parquet file; damage that is found while it is open has its name.

    Args:
        path: A path or a URI.
        name: What the message calls the file; by default its path.
        error: What is raised.

    Raises:
        error: The file cannot be read.
    """
    try:
        with open_file(path) as opened:
            yield pq.ParquetFile(opened)
    except (pa.ArrowException, OSError) as problem:
        raise error(
            f"{name or path} is no whole Parquet file (truncated or damaged?)"
            f"{seems_to_be(path, 'a Parquet file')}: "
            f"{' '.join(str(problem).split())}"
        ) from problem


class TableWriter:
    """A Parquet file that several threads may write tables of one schema to.

    Args:
        path: A path or a URI.
        schema: Of the tables.
        rarely_repeated: As for `parquet_layout`.
    """

    def __init__(
        self, path: str, schema: pa.Schema, rarely_repeated: Collection[str] = ()
    ):
        self._path = path
        self._schema = schema
        self._layout = parquet_layout(schema, rarely_repeated)
        self._lock = threading.Lock()

    def __enter__(self) -> TableWriter:
        self._file = create_file(self._path)
        self._writer = pq.ParquetWriter(self._file, self._schema, **self._layout)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._file.close()

    def write(self, table: pa.Table) -> None:
        """Appends a table in row groups of at most `ROW_GROUP_ROWS` rows."""
        if table.num_rows:
            with self._lock:
                self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


def parquet_layout(
    schema: pa.Schema, rarely_repeated: Collection[str] = ()
) -> dict[str, Any]:
    """Arguments for `pq.ParquetWriter`: which columns get dictionaries and statistics.

    Texts and whole numbers get dictionaries, but numbers that rarely repeat do not: a
    dictionary of them would be built, found too large and thrown away. A list has no
    statistics, since no reader skips row groups by an element of a history.

    Args:
        schema: Of the tables.
        rarely_repeated: Names of columns of whole numbers that rarely repeat.
    """
    return {
        "use_dictionary": [
            _leaf(field) for field in schema if _repeats(field, rarely_repeated)
        ],
        "write_statistics": [
            field.name for field in schema if not pa.types.is_list(field.type)
        ],
        # Values of lists are called as in the schema; pyarrow's default has changed.
        "use_compliant_nested_type": False,
    }


def _repeats(field: pa.Field, rarely_repeated: Collection[str]) -> bool:
    listed = pa.types.is_list(field.type)
    kind = field.type.value_type if listed else field.type
    if pa.types.is_integer(kind):
        return not listed and field.name not in rarely_repeated
    return pa.types.is_string(kind) or pa.types.is_dictionary(kind)


def _leaf(field: pa.Field) -> str:
    """The path of the field's values in a Parquet schema."""
    if pa.types.is_list(field.type):
        return f"{field.name}.list.{field.type.value_field.name}"
    return field.name
