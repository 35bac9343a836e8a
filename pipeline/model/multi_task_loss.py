"""The loss of a batch over all tasks, and the metrics that go with it."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

from pipeline.config import TrainerPart
from pipeline.model.losses import MeanLoss, mean_loss_share, split_known
from pipeline.model.sample_weights import impression_weights, task_weights

Tensors = Mapping[str, tf.Tensor]


class MultiTaskLoss(tf_keras.layers.Layer):
    """Weighted sum of the tasks' weighted mean binary cross-entropies.

    A task's mean is over the impressions whose label is known, each with the product
    of its own weight and, for a label of 1, the task's `positive_weight`. It divides by
    the sum of these weights, so that only their ratios matter.

    Args:
        config: What training reads of the configuration.
    """

    def __init__(self, config: TrainerPart):
        super().__init__(dtype="float32", name="multi_task_loss")
        self._tasks = dict(config.tasks)
        self._masked = frozenset(config.features.masked_labels)
        self._sample_weights = config.training.sample_weights
        self.task_losses = {
            name: tfrs.tasks.Ranking(
                loss=tf_keras.losses.BinaryCrossentropy(
                    from_logits=True,
                    label_smoothing=task.label_smoothing,
                    reduction=tf_keras.losses.Reduction.NONE,
                ),
                name=f"{name}_task",
            )
            for name, task in self._tasks.items()
        }
        self.aucs = {
            name: tf_keras.metrics.AUC(from_logits=True, name=f"{name}_auc")
            for name in self._tasks
        }
        self.means = {
            name: tf_keras.metrics.Mean(name=f"{name}_cross_entropy")
            for name in self._tasks
        }
        # TFRS logs the last batch's loss alone, which says little about an epoch.
        self.mean_loss = MeanLoss(
            [task.weight for task in self._tasks.values()], name="mean_loss"
        )

    def compute(self, logits: Tensors, inputs: Tensors, training: bool) -> tf.Tensor:
        """This replica's share of the loss of a batch; updates the metrics.

        Args:
            logits: Of each task, float32 [batch].
            inputs: Transformed tensors, labels among them.
            training: Whether it is a step of a training, which leaves the AUC out.

        Returns:
            A scalar; a task without a known label adds 0.
        """
        weights = impression_weights(inputs, self._sample_weights)
        total = tf.constant(0.0)
        sums, counts = [], []
        for name, task in self._tasks.items():
            labels, known = inputs[name], None
            if name in self._masked:
                labels, known = split_known(labels)
            counted = task_weights(labels, known, weights, task.positive_weight)
            losses = self.task_losses[name](
                labels=labels[:, None],
                predictions=logits[name][:, None],
                sample_weight=None if counted is None else counted[:, None],
            )
            total += task.weight * mean_loss_share(losses, counted)
            if not training:
                self.aucs[name].update_state(labels, logits[name], sample_weight=known)
            count = tf.reduce_sum(tf.ones_like(losses) if counted is None else counted)
            sums.append(tf.reduce_sum(losses))
            counts.append(count)
            mean = tf.math.divide_no_nan(sums[-1], count)
            self.means[name].update_state(mean, sample_weight=count)
        self.mean_loss.update_state(tf.stack(sums), tf.stack(counts))
        return total
