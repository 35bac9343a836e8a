"""Parsed examples as Arrow columns of lists, which TFX's libraries take."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import tensorflow as tf


def list_column(
    values: tf.Tensor | tf.RaggedTensor, empty_is_null: bool = False
) -> pa.LargeListArray:
    """A column with a list for each example.

    Args:
        values: [batch], or ragged [batch, None].
        empty_is_null: Whether an example without values has a null in place of a list.
    """
    if isinstance(values, tf.RaggedTensor):
        offsets, flat = values.row_splits.numpy(), values.flat_values.numpy()
    else:
        flat = values.numpy()
        offsets = np.arange(len(flat) + 1)
    empty = np.append((offsets[:-1] == offsets[1:]) & empty_is_null, False)
    return pa.LargeListArray.from_arrays(pa.array(offsets, mask=empty), pa.array(flat))
