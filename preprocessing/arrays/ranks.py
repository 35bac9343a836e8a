"""Vectorised building blocks: ranks of texts, and runs of equal sorted keys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array


def text_ranks(values: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Rank of each text among the distinct texts, by code points; null is -1.

    Returns:
        int64 [rows]; equal texts have equal ranks, and ranks order like the texts.
    """
    encoded = to_array(values).dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return rank[codes]


def run_starts(*sorted_keys: np.ndarray) -> np.ndarray:
    """For each row the index of the first row with the same keys.

    Args:
        *sorted_keys: int64 [rows] each, sorted together so that equal keys adjoin.

    Returns:
        int64 [rows].
    """
    rows = len(sorted_keys[0])
    first = np.zeros(rows, dtype=bool)
    first[:1] = True
    for key in sorted_keys:
        first[1:] |= key[1:] != key[:-1]
    index = np.arange(rows)
    return np.maximum.accumulate(np.where(first, index, 0))
