"""Columns of the feature table: the features' fields, and the whole schema."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from preprocessing.contract.config import FeatureConfig, LabelConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.features.history import HISTORY_TEXTS
from preprocessing.features.rates.columns import rate_fields

VIDEO_FIELDS = (
    pa.field("video_age_hours", pa.float32()),
    pa.field("video_impressions", pa.int64(), nullable=False),
    pa.field("is_new_video", pa.int64(), nullable=False),
)
USER_FIELDS = (
    pa.field("avc", pa.int64(), nullable=False),
    pa.field("hours_since_first_launch", pa.float32()),
    pa.field("active_days_7", pa.int64(), nullable=False),
    pa.field("is_new_user", pa.int64(), nullable=False),
    pa.field("user_group", pa.string(), nullable=False),
    pa.field("history_video_ids", HISTORY_TEXTS, nullable=False),
    pa.field("history_author_ids", HISTORY_TEXTS, nullable=False),
    pa.field("history_tags", HISTORY_TEXTS, nullable=False),
    pa.field("history_gap_ms", pa.list_(pa.int64()), nullable=False),
)


def feature_schema(config: FeatureConfig) -> pa.Schema:
    """Schema of the feature table: contract, features, labels, rates, in this order.

    A label read from the column of its own name is that column, not a second one.
    Scalars that every impression has are not nullable; a masked label may be null. The
    texts of histories are dictionary-encoded in memory; in a Parquet file they are
    texts like any other.
    """
    fields = [*impression_schema(config), *VIDEO_FIELDS, *USER_FIELDS]
    names = {field.name for field in fields}
    fields += [
        label_field(name, label)
        for name, label in config.labels.items()
        if name not in names
    ]
    return pa.schema([*fields, *rate_fields(config)])


def label_field(name: str, label: LabelConfig) -> pa.Field:
    """The field of a label that has a column of its own."""
    return pa.field(name, pa.int64(), nullable=label.missing == "mask")


def append_columns(
    table: pa.Table,
    fields: Sequence[pa.Field],
    columns: Sequence[np.ndarray | pa.Array | pa.ChunkedArray],
) -> pa.Table:
    """Adds columns to a table; numpy arrays become int64."""
    for field, column in zip(fields, columns, strict=True):
        if isinstance(column, np.ndarray):
            column = pa.array(column.astype(np.int64))
        table = table.append_column(field, column)
    return table
