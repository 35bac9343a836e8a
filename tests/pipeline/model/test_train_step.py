"""A step under half precision, on gradients that are too small for it."""

import numpy as np
import pytest
import tf_keras

from pipeline.model.ranking_model import RankingModel
from pipeline.training.optimizers.composite_optimizer import CompositeOptimizer
from tests.helpers.random_model import embedding_rows, random_batch, shuffled_weights
from tests.helpers.small_transform import settings_with

WEIGHT = 2.0**-24  # of the loss: the smallest number above 0 in half precision
CONFIG = settings_with(
    tasks={name: {"weight": WEIGHT} for name in ("long_view", "like")}
)


@pytest.fixture
def policy():
    yield tf_keras.mixed_precision.set_global_policy
    tf_keras.mixed_precision.set_global_policy("float32")


def descent(model):
    return tf_keras.optimizers.SGD(1 / WEIGHT)


def descent_in_two_parts(model):
    return CompositeOptimizer(descent(model), descent(model), model)


def changes(optimizer=descent):
    """What a step of plain gradient descent adds to each weight, over `WEIGHT`."""
    model = RankingModel(CONFIG, embedding_rows(CONFIG))
    batch = random_batch(CONFIG)
    model(batch)
    shuffled_weights(model)
    model.compile(optimizer(model))
    before = [variable.numpy() for variable in model.trainable_variables]
    model.train_step(batch)
    return [
        v.numpy() - b for v, b in zip(model.trainable_variables, before, strict=True)
    ]


@pytest.mark.parametrize("optimizer", [descent, descent_in_two_parts])
def test_gradients_below_half_precision_are_not_lost(policy, optimizer):
    exact = changes()
    policy("mixed_float16")
    half = changes(optimizer)
    for one, other in zip(half, exact, strict=True):
        np.testing.assert_allclose(one, other, atol=0.1 * np.abs(other).max() + 2e-4)
