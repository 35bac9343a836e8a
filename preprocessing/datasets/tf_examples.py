"""Tables become serialized `tf.Example`s, column by column, not row by row."""

from __future__ import annotations

import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import (
    make_lists,
    null_mask,
    offsets_of,
    replace_elements,
)
from preprocessing.datasets.feature_types import feature_type


def encode_examples(table: pa.Table) -> list[bytes]:
    """Serializes each row of a table as a `tf.Example`.

    Integers become int64 features, floats float32, texts bytes, lists features of
    several values. A null is a feature that is missing from the example; an empty list
    is an empty feature.

    Args:
        table: Columns of integers, floats, texts, or lists of these.

    Returns:
        One serialized example per row, in order.
    """
    from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

    if not table.num_rows:
        return []
    columns = [_as_lists(to_array(table[name])) for name in table.column_names]
    batch = pa.RecordBatch.from_arrays(columns, names=table.column_names)
    return RecordBatchToExamplesEncoder().encode(batch)


def _as_lists(column: pa.Array) -> pa.Array:
    """The column as lists of int64, float32 or binary."""
    kind = _ARROW_TYPES[feature_type(column.type)]
    if pa.types.is_list(column.type):
        if pa.types.is_dictionary(column.type.value_type):
            column = replace_elements(column, to_array(column.flatten()))
        return column.cast(pa.list_(kind))
    missing = null_mask(column)
    return make_lists(offsets_of(~missing), column.drop_null().cast(kind), missing)


_ARROW_TYPES = {"int64": pa.int64(), "float32": pa.float32(), "string": pa.binary()}
