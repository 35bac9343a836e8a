"""A shuffle on this machine's disk, for logs that do not fit into memory."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path

import pyarrow as pa

from preprocessing.engine.partition import partition

# Rows held back before they are written, so that shards grow by large pieces.
_BUFFERED_ROWS = 1 << 19


class DiskShuffle:
    """A `Shuffle` that keeps its tables in files until a shard is worked on.

    Args:
        folder: An empty folder for the files; created if it is missing.
        key: Name of a text column.
        shards: Number of shards.
    """

    def __init__(self, folder: Path, key: str, shards: int):
        self._folder = folder
        self._key = key
        self._shards = shards
        self._lock = threading.Lock()
        self._buffered: dict[int, list[pa.Table]] = defaultdict(list)
        self._buffered_rows = 0
        self._written: set[int] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, table: pa.Table) -> None:
        """Divides a table; it may have any columns beside the key."""
        parts = list(partition(table, self._key, self._shards))
        with self._lock:
            for shard, rows in parts:
                self._buffered[shard].append(rows)
            self._buffered_rows += table.num_rows
            if self._buffered_rows >= _BUFFERED_ROWS:
                self._flush()

    def shards(self) -> list[int]:
        """The shards that have rows, ascending."""
        return sorted(self._written | set(self._buffered))

    def take(self, shard: int) -> list[pa.Table]:
        """A shard's tables; they are gone from here afterwards."""
        with self._lock:
            tables = self._buffered.pop(shard, [])
        path = self._path(shard)
        if path.exists():
            tables = _read(path) + tables
            os.unlink(path)
        return tables

    def _flush(self) -> None:
        for shard, tables in self._buffered.items():
            with open(self._path(shard), "ab") as file:
                for table in _joined(tables):
                    _append(file, table)
            self._written.add(shard)
        self._buffered.clear()
        self._buffered_rows = 0

    def _path(self, shard: int) -> Path:
        return self._folder / f"{shard:05d}.arrows"


def _append(file: object, table: pa.Table) -> None:
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(file, table.schema, options=options) as writer:
        writer.write_table(table)


def _read(path: Path) -> list[pa.Table]:
    """All tables of a file, which holds one Arrow stream per table."""
    tables = []
    with pa.OSFile(str(path)) as file:
        while file.tell() < file.size():
            tables.append(pa.ipc.open_stream(file).read_all())
    return tables


def _joined(tables: list[pa.Table]) -> list[pa.Table]:
    """One table per schema."""
    alike: dict[tuple[str, ...], list[pa.Table]] = defaultdict(list)
    for table in tables:
        alike[tuple(table.schema.names)].append(table)
    return [pa.concat_tables(same).combine_chunks() for same in alike.values()]
