"""Notices the first step whose loss is not finite, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel


class NonFiniteLossError(ValueError):
    """A training cannot go on: its loss is NaN or infinite. Says where and why."""


class FiniteLosses:
    """Watches the losses on the device; the host asks now and then.

    A step adds a few sums over the batch and waits for nothing.

    Args:
        model: The model that is trained.
        tasks: Its tasks, in the order of its losses.
        inputs: Names of the floating tensors of a batch, labels among them.
    """

    def __init__(
        self, model: RankingModel, tasks: Sequence[str], inputs: Sequence[str]
    ):
        self._model = model
        self._inputs = tuple(inputs)
        self._sources = (
            *(f"input `{name}`" for name in inputs),
            *(f"the loss of task `{name}`" for name in tasks),
            "the penalty on weights",
        )
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._first = tf.Variable(-1, dtype=tf.int64, trainable=False)
        self._bad = tf.Variable(tf.zeros([len(self._sources)]), trainable=False)

    def begin(self, step: int) -> None:
        """Counts on from a step of an epoch."""
        self._step.assign(step)

    def bad(
        self, batch: Mapping[str, tf.Tensor], logs: Mapping[str, tf.Tensor]
    ) -> tf.Tensor:
        """Which sources are not finite in a replica's step: 1 or 0, float32 [sources].

        Args:
            batch: The replica's share.
            logs: What the model's `train_step` returned.
        """
        sums = [
            tf.reduce_sum(tf.cast(batch[name], tf.float32)) for name in self._inputs
        ]
        losses = tf.unstack(self._model.mean_loss.sums)
        values = tf.stack([*sums, *losses, logs["regularization_loss"]])
        return tf.cast(~tf.math.is_finite(values), tf.float32)

    def note(self, bad: tf.Tensor) -> None:
        """Takes `bad` of one step, summed over the replicas; keeps the first."""
        first = (self._first < 0) & tf.reduce_any(bad > 0)
        self._first.assign(tf.where(first, self._step, self._first))
        self._bad.assign(tf.where(first, bad, self._bad))
        self._step.assign_add(1)

    def check(self, epoch: int) -> None:
        """Asks the device.

        Args:
            epoch: The epoch that is running, from 0.

        Raises:
            NonFiniteLossError: A loss or an input was not finite.
        """
        step = int(self._first.numpy())
        if step < 0:
            return
        bad = [
            source
            for source, flag in zip(self._sources, self._bad.numpy(), strict=True)
            if flag
        ]
        raise NonFiniteLossError(
            f"training stopped at epoch {epoch + 1}, step {step + 1}: "
            f"not finite: {', '.join(bad)}. {self._advice(bad)}"
        )

    def check_weights(self, epoch: int, step: int) -> None:
        """Looks at the weights themselves, before they are written.

        Raises:
            NonFiniteLossError: A weight is NaN or infinite.
        """
        bad = [
            variable.name
            for variable in self._model.trainable_variables
            if not bool(tf.reduce_all(tf.math.is_finite(variable)))
        ]
        if bad:
            raise NonFiniteLossError(
                f"training stopped at epoch {epoch + 1}, step {step}: weights are not "
                f"finite: {', '.join(bad)}. {self._advice([])}"
            )

    def _advice(self, bad: Sequence[str]) -> str:
        if any(source.startswith("input") for source in bad):
            return "Fix this input in the log, or drop the feature"
        return (
            "All inputs are finite, so the weights have grown without bound: lower "
            "training.learning_rate or training.clip_norm"
        )
