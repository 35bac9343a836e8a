"""Tables become serialized `tf.Example`s, column by column and not row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import plain
from preprocessing.state.schema import list_lengths


def encode_examples(table: pa.Table) -> list[bytes]:
    """Serializes each row of a table as a `tf.Example`.

    Integers become int64 features, floats float32, texts bytes, lists features of
    several values. A null is a feature that is missing from the example; an empty list
    is an empty feature.

    Args:
        table: Columns of integers, floats, texts, or lists of these.

    Returns:
        One serialized example a row, in order.
    """
    from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

    if not table.num_rows:
        return []
    columns = [_as_lists(plain(table[name])) for name in table.column_names]
    batch = pa.RecordBatch.from_arrays(columns, names=table.column_names)
    return RecordBatchToExamplesEncoder().encode(batch)


def _as_lists(column: pa.Array) -> pa.Array:
    """The column as lists of int64, float32 or binary."""
    if pa.types.is_list(column.type):
        column = _without_dictionary(column)
        return column.cast(pa.list_(_feature_type(column.type.value_type)))
    known = column.is_valid().to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(known)]).astype(np.int32)
    offsets = pa.array(ends, mask=np.append(~known, False))
    values = column.drop_null().cast(_feature_type(column.type))
    return pa.ListArray.from_arrays(offsets, values)


def _without_dictionary(lists: pa.ListArray) -> pa.ListArray:
    if not pa.types.is_dictionary(lists.type.value_type):
        return lists
    ends = np.concatenate([[0], np.cumsum(list_lengths(lists))]).astype(np.int32)
    missing = lists.is_null().to_numpy(zero_copy_only=False)
    offsets = pa.array(ends, mask=np.append(missing, False))
    return pa.ListArray.from_arrays(offsets, plain(lists.flatten()))


def _feature_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.int64()
    return pa.float32() if pa.types.is_floating(kind) else pa.binary()
