"""Tables become serialized `tf.Example`s, column by column, not row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import list_lengths, null_mask, offsets_of
from preprocessing.datasets.feature_types import feature_type
from preprocessing.datasets.protobuf_columns import (
    concatenated,
    delimited,
    headers,
    joined,
    lengths_of,
    packed_floats,
    packed_integers,
    text_elements,
)

# Fields of `Feature`: which list the values are in.
_LISTS = {"string": 1, "float32": 2, "int64": 3}
_KEY, _VALUE = 1, 2  # fields of a map's entry; every other field here is number 1


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
    if not table.num_rows:
        return []
    parts: list[pa.Array] = []
    for name in table.column_names:
        parts += _entries(name, to_array(table[name]))
    features = joined(*parts)
    before = headers(lengths_of(features), lambda size: delimited(1, size))
    return joined(before, features).to_pylist()


def _entries(name: str, column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The column's entry in the map of features: what is before the values, and they.

    Both are empty where the column is null.
    """
    kind = feature_type(column.type)
    known = ~null_mask(column)
    if pa.types.is_list(column.type):
        ends, values = offsets_of(list_lengths(column)), to_array(column.flatten())
    else:
        ends, values = offsets_of(known), column.drop_null()
    if kind == "string":
        content = concatenated(text_elements(values, 1), ends)
    elif kind == "float32":
        content = packed_floats(_numbers(values, pa.float32()), ends)
    else:
        content = packed_integers(_numbers(values, pa.int64()), ends)
    key = delimited(_KEY, len(name.encode())) + name.encode()

    def header(size: int) -> bytes:
        # Numbers are packed into one field of their list; texts are a field each.
        packed = delimited(1, size) if size and kind != "string" else b""
        feature = delimited(_LISTS[kind], len(packed) + size) + packed
        entry = key + delimited(_VALUE, len(feature) + size) + feature
        return delimited(1, len(entry) + size) + entry

    return headers(lengths_of(content), header, known), content


def _numbers(values: pa.Array, kind: pa.DataType) -> np.ndarray:
    return values.cast(kind).fill_null(0).to_numpy()
