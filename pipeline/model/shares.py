"""How the replicas of a strategy share a batch that all of them read."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

Batch = Mapping[str, tf.Tensor]


def share(
    batch: Batch, replica: int | tf.Tensor, replicas: int
) -> dict[str, tf.Tensor]:
    """One replica's share; all of them together are the batch, in its order.

    Args:
        batch: Tensors [batch, ...].
        replica: Which, from 0.
        replicas: How many there are; some get nothing where there are fewer examples.
    """
    size = tf.shape(next(iter(batch.values())), tf.int64)[0]
    replica = tf.cast(replica, tf.int64)
    start, end = size * replica // replicas, size * (replica + 1) // replicas
    return {name: value[start:end] for name, value in batch.items()}
