"""Statistics of columns that a test spells out, and a schema of their names."""

import numpy as np
import pyarrow as pa
from tensorflow_data_validation.statistics.stats_impl import (
    generate_statistics_in_memory,
)
from tensorflow_metadata.proto.v0 import schema_pb2


def statistics(**columns):
    """Of columns of scalars, null where missing."""
    names, arrays = list(columns), []
    for values in columns.values():
        scalars = pa.array(values)
        if scalars.null_count == len(scalars):
            arrays.append(pa.nulls(len(scalars)))
            continue
        missing = np.append(scalars.is_null().to_numpy(zero_copy_only=False), False)
        counts = np.cumsum([0, *(not lacks for lacks in missing[:-1])])
        offsets = pa.array(counts, mask=missing)
        arrays.append(pa.LargeListArray.from_arrays(offsets, scalars.drop_null()))
    return generate_statistics_in_memory(pa.RecordBatch.from_arrays(arrays, names))


TYPES = {"avc": "INT", "like": "INT", "battery": "FLOAT", "event_time_ms": "INT"}


def schema_of(columns):
    schema = schema_pb2.Schema()
    for name in columns:
        kind = schema_pb2.FeatureType.Value(TYPES.get(name, "BYTES"))
        feature = schema.feature.add(name=name, type=kind)
        feature.value_count.max = 1
    return schema
