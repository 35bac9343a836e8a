"""One step of a training, with the loss scaled where half precision needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf
import tf_keras

if TYPE_CHECKING:
    from pipeline.model.ranking_model import RankingModel, Tensors


def scaled_train_step(model: RankingModel, inputs: Tensors) -> dict[str, Any]:
    """Updates a model's weights by one batch.

    It is `tfrs.Model.train_step`, which leaves out what `mixed_float16` asks for: small
    gradients become 0 in half precision unless the loss is scaled up before and the
    gradients down after. Keras wraps the optimizer for it; this calls the wrapper.

    Args:
        model: A compiled model.
        inputs: Transformed tensors, labels among them.

    Returns:
        The metrics and `loss`, `regularization_loss` and `total_loss` of the batch.
    """
    optimizer = model.optimizer
    scaling = isinstance(optimizer, tf_keras.mixed_precision.LossScaleOptimizer)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
        regularization = tf.reduce_sum([tf.reduce_sum(part) for part in model.losses])
        total = loss + regularization
        target = optimizer.get_scaled_loss(total) if scaling else total
    gradients = tape.gradient(target, model.trainable_variables)
    if scaling:
        gradients = optimizer.get_unscaled_gradients(gradients)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return {
        **{metric.name: metric.result() for metric in model.metrics},
        "loss": loss,
        "regularization_loss": regularization,
        "total_loss": total,
    }
