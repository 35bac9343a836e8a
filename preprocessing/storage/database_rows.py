"""The rows of a database's query as a Parquet file, from which a log is read.

A run reads its log several times, in parallel, and has to find the same rows when it is
repeated. A file does that; a table that grows meanwhile does not.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DRIVERS = ("postgresql", "sqlite")
ROWS_FILE = "rows.parquet"
_UNFINISHED = f"_{ROWS_FILE}"  # of this name it is no part of a log
_GROUP_ROWS = 1 << 17


class DatabaseError(ValueError):
    """A database or a query that cannot be used; the message says what it said."""


def write_query(driver: str, uri: str, query: str, folder: Path) -> int:
    """Writes the rows of one query, in the order in which they come.

    The file is there once it is whole.

    Args:
        driver: One of `DRIVERS`: which database it is.
        uri: The database, as its own client library takes it: of PostgreSQL
            `postgresql://user@host/name`, of SQLite a file.
        query: One statement of SQL that gives rows.
        folder: Gets `ROWS_FILE`; created if it is missing.

    Returns:
        How many rows there are.

    Raises:
        FileExistsError: The folder has such a file.
        DatabaseError: The database or the query cannot be used, or there are no rows;
            then nothing is written.
    """
    target, unfinished = folder / ROWS_FILE, folder / _UNFINISHED
    if target.exists():
        raise FileExistsError(f"{target} is there already: give another folder")
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        rows = _write(driver, uri, query, unfinished)
        os.replace(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # somebody else's file may lie in it by now
                folder.rmdir()
        raise
    return rows


def _write(driver: str, uri: str, query: str, path: Path) -> int:
    rows = 0
    with _batches(driver, uri, query) as batches:
        schema = _plain(batches.schema)
        with pq.ParquetWriter(path, schema) as writer:
            held: list[pa.RecordBatch] = []
            for batch in batches:
                held.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
                rows += batch.num_rows
                if sum(each.num_rows for each in held) >= _GROUP_ROWS:
                    writer.write_table(pa.Table.from_batches(held, schema), _GROUP_ROWS)
                    held = []
            if held:
                writer.write_table(pa.Table.from_batches(held, schema), _GROUP_ROWS)
    if not rows:
        raise DatabaseError("the query has no rows: nothing is written")
    return rows


@contextmanager
def _batches(driver: str, uri: str, query: str) -> Iterator[pa.RecordBatchReader]:
    try:
        client = importlib.import_module(f"adbc_driver_{driver}.dbapi")
    except ImportError as error:
        raise DatabaseError(
            f"a database of kind {driver} needs the package adbc-driver-{driver}: "
            "pip install 'poso[sql]'"
        ) from error
    try:
        with client.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            yield cursor.fetch_record_batch()
    except (client.Error, pa.ArrowException) as error:
        raise DatabaseError(" ".join(str(error).split())) from error


def _plain(schema: pa.Schema) -> pa.Schema:
    """The columns without what the driver notes of the database's types."""
    return pa.schema([(field.name, field.type) for field in schema])
