"""Optimizers by their names in the configuration."""

from typing import get_args

import numpy as np
import pytest
import tf_keras

from pipeline.config import FitConfig
from pipeline.config.optimizer import EmbeddingOptimizerConfig
from pipeline.training.optimizers.build import build_optimizer
from tests.helpers.toy_tables import UNUSED, gradients, table_model

DENSE = get_args(FitConfig.model_fields["optimizer"].annotation)
TABLES = get_args(EmbeddingOptimizerConfig.model_fields["name"].annotation)


def trained(steps=4, learning_rate=None, **settings):
    """A model after some steps, the first of which alone has row 1."""
    model = table_model()
    optimizer = build_optimizer(FitConfig(**settings), model, learning_rate)
    optimizer.apply_gradients(gradients(model))
    first = model.table.embeddings.numpy()
    for _ in range(steps - 1):
        ids, labels = np.array([2, 3, 4, 5]), np.array([0, 1, 0, 1], np.float32)
        optimizer.apply_gradients(gradients(model, ids, labels))
    return model, first, optimizer


@pytest.mark.parametrize("name", DENSE)
def test_each_optimizer_of_dense_weights_moves_them(name):
    still = table_model()
    model, _, _ = trained(optimizer=name)
    for one, other in zip(still.out.weights, model.out.weights, strict=True):
        assert np.abs(one - other).min() > 0


@pytest.mark.parametrize("name", TABLES)
def test_each_optimizer_of_tables_moves_the_rows_in_use_and_no_unused_one(name):
    start = table_model().table.embeddings.numpy()
    model, _, _ = trained(embedding_optimizer={"name": name})
    after = model.table.embeddings.numpy()
    assert np.abs(after - start)[[1, 2, 3, 4, 5]].max(axis=1).min() > 0
    np.testing.assert_array_equal(after[UNUSED], start[UNUSED])


@pytest.mark.parametrize("name", TABLES)
def test_adam_alone_moves_a_row_that_is_no_longer_in_use(name):
    model, first, _ = trained(embedding_optimizer={"name": name})
    moves = np.abs(model.table.embeddings.numpy() - first)[1].max() > 0
    assert moves == (name == "adam")


def rates(optimizer):
    return [float(part.learning_rate) for part in optimizer.optimizers]


def test_tables_have_the_common_learning_rate_or_their_own():
    _, _, common = trained(learning_rate=None)
    assert rates(common) == pytest.approx([1e-3, 1e-3])
    _, _, own = trained(embedding_optimizer={"learning_rate": 0.02})
    assert rates(own) == pytest.approx([1e-3, 0.02])


@pytest.mark.parametrize(("own", "factor"), [(None, 1), (4e-3, 4)])
def test_a_schedule_scales_both_learning_rates(own, factor):
    schedule = tf_keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25])
    settings = {"learning_rate": own}
    model = table_model()
    optimizer = build_optimizer(
        FitConfig(embedding_optimizer=settings), model, schedule
    )
    for expected in (0.5, 0.5, 0.25):
        optimizer.apply_gradients(gradients(model))
        assert rates(optimizer) == pytest.approx([expected, factor * expected])
