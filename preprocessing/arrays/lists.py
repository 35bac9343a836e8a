"""List columns: lengths, offsets, and lists made of them.

Arrow keeps a list column as the elements of all its lists, one after the other, and
offsets into them: list `i` holds the elements from `offsets[i]` up to `offsets[i + 1]`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def list_lengths(lists: pa.ListArray | pa.ChunkedArray) -> np.ndarray:
    """Length of each list, int64 [rows]; a null list has length 0."""
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0), dtype=np.int64)


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Where lists of these lengths begin and end, int64 [rows + 1], from 0.

    Args:
        lengths: Whole numbers or booleans [rows].
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def make_lists(
    offsets: np.ndarray, elements: pa.Array, missing: np.ndarray | None = None
) -> pa.ListArray:
    """Lists of elements that lie one list after the other.

    Args:
        offsets: Of `offsets_of`, int64 [rows + 1]; the last is below 2**31.
        elements: The elements of all lists.
        missing: Which lists are null, bool [rows]; these have no elements. None if
            there is no null.
    """
    mask = None if missing is None else np.append(missing, False)
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32), mask=mask), elements
    )


def replace_elements(lists: pa.ListArray, elements: pa.Array) -> pa.ListArray:
    """Lists of the same lengths and nulls with other elements.

    Args:
        lists: The lists.
        elements: One for each of `lists.flatten()`.
    """
    return make_lists(offsets_of(list_lengths(lists)), elements, null_mask(lists))


def first_elements(lists: pa.ListArray) -> pa.Array:
    """The first element of each list; null where there is none."""
    lengths = list_lengths(lists)
    first = pa.array(offsets_of(lengths)[:-1], mask=lengths == 0)
    return lists.flatten().take(first)


def null_mask(column: pa.Array) -> np.ndarray:
    """Which values are null, bool [rows]."""
    return column.is_null().to_numpy(zero_copy_only=False)
