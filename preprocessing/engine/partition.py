"""Divides rows into shards by a hash of their key, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.features.rates.subject_pass import SHARD


def assign_shards(keys: pa.ChunkedArray | pa.Array, shards: int) -> np.ndarray:
    """The shard of each key, int64 [rows] in [0, shards)."""
    encoded = to_array(keys).dictionary_encode()
    distinct = encoded.dictionary.to_numpy(zero_copy_only=False)
    hashes = pd.util.hash_array(distinct.astype(object), categorize=False)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return (hashes % np.uint64(shards)).astype(np.int64)[codes]


def partition(table: pa.Table, key: str, shards: int) -> Iterator[tuple[int, pa.Table]]:
    """Divides a table by the hash of a column; empty shards are left out.

    A table that brings the numbers of its shards, in a column `SHARD`, and has no
    column `key` is divided by these.

    Args:
        table: Any table with the column `key`, which holds no nulls, or `SHARD`.
        key: Name of a text column.
        shards: Number of shards.

    Yields:
        The shard's number and its rows, in their order in `table`.
    """
    if not table.num_rows:
        return
    if key in table.column_names:
        shard = assign_shards(table[key], shards)
    else:
        shard = to_array(table[SHARD]).to_numpy()
    order = np.argsort(shard, kind="stable")
    grouped = table.take(pa.array(order))
    ends = np.cumsum(np.bincount(shard, minlength=shards))
    for number, end in enumerate(ends):
        start = ends[number - 1] if number else 0
        if end > start:
            yield number, grouped.slice(start, end - start)
