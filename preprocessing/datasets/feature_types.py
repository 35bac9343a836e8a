"""Types of the feature table's columns as TensorFlow and `tf.Example` have them."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

FeatureType = Literal["int64", "float32", "string"]


def feature_type(kind: pa.DataType) -> FeatureType:
    """The type of a column's values in TensorFlow.

    Args:
        kind: Arrow type of the column; of a list its values' type counts.

    Returns:
        A name that `tf.as_dtype` takes: int64 of whole numbers and booleans, float32
        of floats, string of all else.
    """
    if pa.types.is_list(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "int64"
    return "float32" if pa.types.is_floating(kind) else "string"
