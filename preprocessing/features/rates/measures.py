"""What is counted of an impression, packed into one whole number a row.

Bit 0 is set in each row, and the others are those of `state.rates.measure_names`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.labels import add_labels

# Between the passes impressions carry their measures in this column.
MEASURES = "__measures"


def add_measures(table: pa.Table, config: FeatureConfig) -> pa.Table:
    """Adds the column `MEASURES`, int64.

    Args:
        table: By `contract.schema.impression_schema`; further columns are kept.
        config: Names labels and rates.
    """
    labelled = add_labels(table, config)
    packed = np.ones(table.num_rows, dtype=np.int64)
    masked = [name for name in config.rate_labels if name in config.masked_labels]
    flags = [to_array(labelled[name]).is_valid() for name in masked]
    flags += [pc.equal(to_array(labelled[name]), 1) for name in config.rate_labels]
    for bit, flag in enumerate(flags, start=1):
        known = pc.fill_null(flag, False).to_numpy(zero_copy_only=False)
        packed |= known.astype(np.int64) << bit
    return table.append_column(MEASURES, pa.array(packed))


def unpacked(packed: np.ndarray, measures: int) -> np.ndarray:
    """Measures as 0 and 1, int8 [measures, rows]."""
    bits = np.arange(measures)[:, None]
    return ((packed[None] >> bits) & 1).astype(np.int8)
