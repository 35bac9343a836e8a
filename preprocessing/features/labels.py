"""Labels: 0 or 1 for each impression, from a column or from how it was watched."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from preprocessing.contract.column_names import DURATION, PLAY_TIME
from preprocessing.contract.config import FeatureConfig, LabelConfig
from preprocessing.features.columns import label_field


def add_labels(table: pa.Table, config: FeatureConfig) -> pa.Table:
    """Adds a column for each label that is not a column already.

    Args:
        table: By `contract.schema.impression_schema`; further columns are kept.
        config: Gives `labels`.
    """
    for name, label in config.labels.items():
        if name not in table.column_names:
            table = table.append_column(label_field(name), _label(table, label))
    return table


def _label(table: pa.Table, label: LabelConfig) -> pa.ChunkedArray | pa.Array:
    if label.at_least is not None:
        graded = table[label.column].to_numpy() >= label.at_least
        return pa.array(graded.astype(np.int64))
    if label.column is not None:
        return table[label.column]
    play_ms, duration_ms = table[PLAY_TIME].to_numpy(), table[DURATION].to_numpy()
    if label.rule == "finish_view":
        return pa.array((play_ms >= duration_ms).astype(np.int64))
    viewed = play_ms * 100.0 >= duration_ms * label.percent
    return pa.array(viewed.astype(np.int64))
