"""Rows of an embedding table for a vocabulary that has changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.generic]


def with_known_rows(
    fresh: Rows, earlier: Rows, tokens: pa.Array, earlier_tokens: pa.Array
) -> tuple[Rows, int]:
    """A table in which ids that an earlier one knew have its rows.

    A table is a row of padding, the vocabulary's, and those of the out-of-vocabulary
    buckets; the last are the earlier ones, too, where there are as many.

    Args:
        fresh: Initial rows [1 + tokens + buckets, width].
        earlier: Trained rows [1 + earlier tokens + buckets, width].
        tokens: The vocabulary, without repetitions.
        earlier_tokens: That of the earlier table.

    Returns:
        The table, and how many ids of the vocabulary the earlier one knew.
    """
    rows = fresh.copy()
    rows[0] = earlier[0]
    found = pc.index_in(tokens, value_set=earlier_tokens)
    known = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    rows[1 + known] = earlier[1 + found.drop_null().to_numpy()]
    unknown = rows[1 + len(tokens) :]
    earlier_unknown = earlier[1 + len(earlier_tokens) :]
    if len(unknown) == len(earlier_unknown):
        unknown[:] = earlier_unknown
    return rows, len(known)
