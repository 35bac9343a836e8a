"""One optimizer for the embedding tables and one for the rest, clipped together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

# A gradient (`tf.Tensor`, `tf.IndexedSlices` or None) and its variable.
Pairs = Iterable[tuple[Any, tf.Variable]]

_EMBEDDING_LAYERS = (
    tf_keras.layers.Embedding,
    tfrs.layers.embedding.TPUEmbedding,
)


class CompositeOptimizer(tfrs.experimental.optimizers.CompositeOptimizer):
    """TFRS' composite, for Keras' present optimizers, with one clipping over both.

    TFRS' own leaves clipping to each part, by the norm of that part alone. Here the
    norm is that of all gradients, as under a single optimizer. The gradient of a table
    stays sparse (`tf.IndexedSlices`); its norm is that of the looked up rows, each
    counted as often as it was looked up, as Keras counts.

    Args:
        dense: Trains all weights that are not in embedding layers.
        embedding: Trains the tables of all embedding layers in the model, Keras' and
            TFRS'.
        model: The model, whose variables need not be there yet.
        clip_norm: Largest norm of all gradients together; None leaves them.
    """

    def __init__(
        self,
        dense: tf_keras.optimizers.Optimizer,
        embedding: tf_keras.optimizers.Optimizer,
        model: tf_keras.Model,
        clip_norm: float | None = None,
    ):
        super().__init__(
            [
                (dense, lambda: _dense_weights(model)),
                (embedding, lambda: _table_weights(model)),
            ]
        )
        self._clip_norm = clip_norm

    @property
    def learning_rate(self) -> tf.Tensor:
        """The present learning rate of the dense weights."""
        return self.optimizers[0].learning_rate

    @property
    def weights(self) -> list[tf.Variable]:
        """The optimizers' own variables; TFRS asks them as older optimizers are."""
        return [v for optimizer in self.optimizers for v in optimizer.variables]

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        """Makes the optimizers' own variables, as Keras' present optimizers do.

        Args:
            var_list: The model's trainable variables.
        """
        wanted = {variable.ref() for variable in var_list}
        for optimizer, weights in self._optimizers_and_vars:
            optimizer.build([v for v in weights() if v.ref() in wanted])

    def apply_gradients(
        self,
        grads_and_vars: Pairs,
        name: str | None = None,
        experimental_aggregate_gradients: bool = True,
    ) -> tf.Operation:
        """Sums the gradients over the replicas, clips them and makes a step.

        Args:
            grads_and_vars: A gradient, or None, for each trainable variable.
            name: Of the operations.
            experimental_aggregate_gradients: False if the gradients are summed already.

        Returns:
            One operation for all replicas: `LossScaleOptimizer` asks for it.
        """
        pairs = list(grads_and_vars)
        if experimental_aggregate_gradients:
            pairs = self.optimizers[0].aggregate_gradients(pairs)
        if self._clip_norm is not None:
            gradients, variables = zip(*pairs, strict=True)
            clipped, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
            pairs = list(zip(clipped, variables, strict=True))
        super().apply_gradients(
            pairs, name=name, experimental_aggregate_gradients=False
        )
        replica = tf.distribute.get_replica_context()
        return replica.merge_call(lambda _: tf.group())


def _table_weights(model: tf_keras.Model) -> list[tf.Variable]:
    layers = [m for m in model.submodules if isinstance(m, _EMBEDDING_LAYERS)]
    return [weight for layer in layers for weight in layer.trainable_weights]


def _dense_weights(model: tf_keras.Model) -> list[tf.Variable]:
    tables = {weight.ref() for weight in _table_weights(model)}
    return [v for v in model.trainable_variables if v.ref() not in tables]
