"""Shuffles: rows come in any order and leave by shard of their key."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Protocol

import pyarrow as pa

from preprocessing.engine.partition import partition


class Shuffle(Protocol):
    """Divides tables by the hash of a column, and gives them back shard by shard.

    Any number of threads may add; after that, any number may take.
    """

    def add(self, table: pa.Table) -> None:
        """Divides a table; it may have any columns beside the key."""

    def shards(self) -> list[int]:
        """The shards that have rows, ascending."""

    def take(self, shard: int) -> list[pa.Table]:
        """A shard's tables; they are gone from here afterwards."""


class MemoryShuffle:
    """A shuffle that keeps its tables in memory.

    Args:
        key: Name of a text column.
        shards: Number of shards.
    """

    def __init__(self, key: str, shards: int):
        self._key = key
        self._shards = shards
        self._lock = threading.Lock()
        self._tables: dict[int, list[pa.Table]] = defaultdict(list)

    def add(self, table: pa.Table) -> None:
        """Divides a table; it may have any columns beside the key."""
        parts = list(partition(table, self._key, self._shards))
        with self._lock:
            for shard, rows in parts:
                self._tables[shard].append(rows)

    def shards(self) -> list[int]:
        """The shards that have rows, ascending."""
        return sorted(self._tables)

    def take(self, shard: int) -> list[pa.Table]:
        """A shard's tables; they are gone from here afterwards."""
        with self._lock:
            return self._tables.pop(shard, [])
