"""How often each id stands in a split's columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from pipeline.examples.example_files import batches_in_any_order

# Of large batches a popular id leaves few entries for Python to add.
_BATCH = 8192


def count_ids(
    split_dir: str, columns: Collection[str], feature_spec: Mapping[str, Any]
) -> dict[str, Counter[bytes]]:
    """Counts the values of some columns; no other column is parsed.

    Args:
        split_dir: A split of raw examples.
        columns: Columns of texts, or of lists of texts.
        feature_spec: How columns are parsed, by name.

    Returns:
        How often each value was seen, by column.
    """
    counts: dict[str, Counter[bytes]] = {name: Counter() for name in columns}
    if not counts:
        return {}
    spec = {name: feature_spec[name] for name in columns}

    def count(serialized: tf.Tensor) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        return {
            name: _unique(column)
            for name, column in tf.io.parse_example(serialized, spec).items()
        }

    for batch in batches_in_any_order(split_dir, count, _BATCH):
        for name, (values, times) in batch.items():
            seen = zip(values.numpy().tolist(), times.numpy().tolist(), strict=True)
            counts[name].update(dict(seen))
    return counts


def _unique(column: tf.Tensor | tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    ragged = isinstance(column, tf.RaggedTensor)
    values = column.flat_values if ragged else tf.reshape(column, [-1])
    unique = tf.unique_with_counts(values, tf.int64)
    return unique.y, unique.count
