"""Means of losses over impressions that may be unlabelled, or weighted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from preprocessing.contract.column_names import UNKNOWN_LABEL


def split_known(labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Labels that a loss can take, and which of them are known.

    Args:
        labels: 0, 1 or `UNKNOWN_LABEL`, float32 [batch].

    Returns:
        The labels, with 0 for unknown ones, and 1 where a label is known, else 0; both
        float32 [batch].
    """
    known = tf.cast(tf.not_equal(labels, float(UNKNOWN_LABEL)), tf.float32)
    return labels * known, known


def mean_loss_share(losses: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    """This replica's share of the mean loss: the optimizer sums gradients over them.

    Args:
        losses: Each impression's loss times its weight, float32 [batch].
        weights: The weights, 0 where the label is unknown, float32 [batch]; None where
            all are 1.

    Returns:
        A scalar. Summed over the replicas it is the weighted mean over the global
        batch; 0 if all weights are 0.
    """
    if weights is None:
        if losses.shape[0] is not None:  # of one size on every replica
            return tf.nn.compute_average_loss(losses)
        count = tf.cast(tf.size(losses), tf.float32)
    else:
        count = tf.reduce_sum(weights)
    # Replicas may hold different numbers of examples and sums of weights.
    return tf.math.divide_no_nan(tf.reduce_sum(losses), sum_over_replicas(count))


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of what the replicas hold, on each of them.

    Where no replica computes, as when a model is called to make its weights, it is the
    value itself.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return value
    if tf.distribute.in_cross_replica_context():
        return value
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


class MeanLoss(tf_keras.metrics.Metric):
    """Weighted sum of the tasks' means, each weighted over all batches' impressions.

    Args:
        weights: The tasks' weights.
        name: Metric name.
    """

    def __init__(self, weights: Sequence[float], name: str):
        super().__init__(name=name)
        self._task_weights = tuple(weights)
        shape = (len(self._task_weights),)
        self._sums = self.add_weight("sums", shape, initializer="zeros")
        self._counts = self.add_weight("counts", shape, initializer="zeros")

    @property
    def sums(self) -> tf.Tensor:
        """Each task's loss summed over all batches so far, float32 [tasks]."""
        return self._sums.read_value()

    def update_state(self, sums: tf.Tensor, counts: tf.Tensor) -> Any:
        """Adds a batch.

        Args:
            sums: Each task's sum of weighted losses, float32 [tasks].
            counts: Each task's sum of weights, float32 [tasks].
        """
        return tf.group(self._sums.assign_add(sums), self._counts.assign_add(counts))

    def result(self) -> tf.Tensor:
        """The weighted sum; a task without a known label adds 0."""
        means = tf.math.divide_no_nan(self._sums, self._counts)
        return tf.reduce_sum(means * tf.constant(self._task_weights))

    def reset_state(self) -> None:
        """Forgets all batches; Keras' own way is for scalars alone."""
        for state in (self._sums, self._counts):
            state.assign(tf.zeros_like(state))
