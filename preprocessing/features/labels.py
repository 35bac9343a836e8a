"""Labels: 0 or 1 for each impression, from a column or from how it was watched."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import null_mask
from preprocessing.contract.column_names import WATCH_COLUMNS
from preprocessing.contract.config import FeatureConfig, LabelConfig
from preprocessing.features.columns import label_field


def add_labels(table: pa.Table, config: FeatureConfig) -> pa.Table:
    """Adds a column for each label that is not a column already.

    A label is null where a column that it is made of is.

    Args:
        table: By `contract.schema.impression_schema`; further columns are kept.
        config: Gives `labels`.
    """
    for name, label in config.labels.items():
        if name not in table.column_names:
            column = _label(table, label)
            table = table.append_column(label_field(name, label), column)
    return table


def _label(table: pa.Table, label: LabelConfig) -> pa.ChunkedArray | pa.Array:
    if label.column is not None and label.at_least is None:
        return table[label.column]
    names = (label.column,) if label.column is not None else WATCH_COLUMNS
    columns = [to_array(table[name]) for name in names]
    unknown = np.logical_or.reduce([null_mask(column) for column in columns])
    values = [column.fill_null(0).to_numpy() for column in columns]
    return pa.array(_holds(label, *values).astype(np.int64), mask=unknown)


def _holds(label: LabelConfig, *values: np.ndarray) -> np.ndarray:
    """Whether a comparison holds, bool [rows]: of a column, or of the watch columns."""
    if label.at_least is not None:
        return values[0] >= label.at_least
    play_ms, duration_ms = values
    if label.rule == "finish_view":
        return play_ms >= duration_ms
    return play_ms * 100.0 >= duration_ms * label.percent
