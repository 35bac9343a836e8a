"""A row without a label is out of the loss and metrics of that task alone."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.ranking_model import RankingModel
from tests.helpers.random_model import (
    BATCH,
    TASKS,
    embedding_rows,
    random_batch,
)


def masked_copy(model, config):
    """A model of the same weights that may lack the labels of `like`."""
    labels = dict(config.features.labels)
    labels["like"] = labels["like"].model_copy(update={"missing": "mask"})
    features = config.features.model_copy(update={"labels": labels})
    config = config.model_copy(update={"features": features})
    copy = RankingModel(config, embedding_rows(config))
    copy(random_batch(config))
    copy.set_weights(model.get_weights())
    return copy


@pytest.mark.parametrize(
    "like", [[1, -1, 0, -1, -1, 1], [-1] * BATCH, [1, 0, 0, 1, 0, 1]]
)
def test_rows_whose_label_is_unknown_are_out_of_their_tasks_loss_alone(poso, like):
    model, config = poso
    masked = masked_copy(model, config)
    batch = {**random_batch(config), "like": tf.constant(like, tf.float32)}
    with tf.GradientTape() as tape:
        loss = masked.compute_loss(batch, training=True)
    gradients = tape.gradient(loss, masked.trainable_variables)
    known = np.flatnonzero(np.array(like) >= 0)
    one_task = {**batch, "like": tf.zeros(BATCH)}
    with tf.GradientTape() as tape:
        logits = model(one_task)
        entropies = {
            task: tf.nn.sigmoid_cross_entropy_with_logits(batch[task], logits[task])
            for task in TASKS
        }
        expected = tf.reduce_mean(entropies["long_view"])
        if len(known):
            expected += 0.5 * tf.reduce_mean(tf.gather(entropies["like"], known))
    wanted = tape.gradient(expected, model.trainable_variables)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    for one, other in zip(gradients, wanted, strict=True):
        if other is None:  # of a task without a known label: no gradient is none
            assert one is None or not np.any(tf.convert_to_tensor(one))
        else:
            np.testing.assert_allclose(
                tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-6
            )


def test_rows_whose_label_is_unknown_are_out_of_their_tasks_auc(poso):
    model, config = poso
    masked = masked_copy(model, config)
    batch = random_batch(config)
    logits = masked(batch)["like"].numpy()
    # Of the known ones the positive one ranks first; with the others it would not.
    order = np.argsort(logits)
    like = np.full(BATCH, -1.0, np.float32)
    like[order[2]], like[order[0]] = 1.0, 0.0
    masked.compute_loss({**batch, "like": tf.constant(like)}, training=False)
    [auc] = [m for m in masked.metrics if m.name == "like_auc"]
    assert float(auc.result()) == 1.0
