"""The logits of a batch of a model that is trained under some strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from pipeline.model.shares import share

Tensors = Mapping[str, tf.Tensor]
Scores = Callable[[Tensors], dict[str, np.ndarray]]


def batch_scores(model: tf_keras.Model) -> Scores:
    """What scores batches, each task's logits [batch] by its name.

    One process alone scores all examples of a batch on its own device. Under parameter
    servers that is the coordinator, which fetches the rows it needs. Several workers
    score a share each, and get those of the others: all must call it with the same
    batches.

    Args:
        model: Called by a mapping of tensors [batch, ...].
    """
    strategy = model.distribute_strategy
    replicas = strategy.num_replicas_in_sync

    @tf.function(reduce_retracing=True, autograph=False)
    def local(batch: Tensors) -> dict[str, tf.Tensor]:
        return model(batch, training=False)

    def scores(batch: Tensors) -> dict[str, np.ndarray]:
        return {name: value.numpy() for name, value in local(dict(batch)).items()}

    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return scores

    @tf.function(reduce_retracing=True, autograph=False)
    def of_all(batch: Tensors) -> dict[str, tf.Tensor]:
        def of_share() -> dict[str, tf.Tensor]:
            context = tf.distribute.get_replica_context()
            part = share(batch, context.replica_id_in_sync_group, replicas)
            return context.all_gather(model(part, training=False), axis=0)

        values = strategy.run(of_share)
        return {
            name: strategy.experimental_local_results(value)[0]
            for name, value in values.items()
        }

    def shared_scores(batch: Tensors) -> dict[str, np.ndarray]:
        return {name: value.numpy() for name, value in of_all(dict(batch)).items()}

    return shared_scores
