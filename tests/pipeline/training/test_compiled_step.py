"""A training step as a TPU takes it: shapes that are known, compiled by XLA."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline.config import TrainerPart
from pipeline.model.build import build_model
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.optimizers.build import (
    build_optimizer,
    create_optimizer_variables,
)
from tests.helpers.small_transform import settings_with

pytestmark = pytest.mark.e2e

BATCH, REPLICAS = 8, 2


@pytest.fixture(scope="module")
def reader(small_transform):
    return EpochReader(
        small_transform.train_files,
        small_transform.output,
        BATCH,
        shuffle_buffer=100,
        seed=1,
        drop_remainder=True,
    )


def test_the_shapes_of_a_replicas_share_are_known(reader):
    shares = reader.shares(0, 0, range(REPLICAS), REPLICAS)
    for name, spec in shares.element_spec.items():
        assert spec.shape.is_fully_defined(), name
        assert spec.shape[0] == BATCH // REPLICAS
        assert spec.dtype.is_floating or spec.dtype.is_integer, name
    assert len(list(shares)) == REPLICAS * (25 // BATCH)


def losses(small, reader, jit_compile):
    """Of two epochs, under a step that is compiled or not; and the step's graph."""
    tf.keras.utils.set_random_seed(3)
    training = {"batch_size": BATCH, "learning_rate": 0.02}
    config = settings_with(training=training).part(TrainerPart)
    model = build_model(config, small.output)
    model.compile(optimizer=build_optimizer(config.training, model))
    model(reader.example())
    create_optimizer_variables(model)
    data = reader.batches(0)
    step = tf.function(
        lambda batch: model.train_step(batch),
        input_signature=[data.element_spec],
        jit_compile=jit_compile,
        autograph=False,
    )
    values = [float(step(batch)["loss"]) for _ in range(2) for batch in data]
    return values, step.get_concrete_function().graph


def test_xla_compiles_the_step_and_it_trains_as_without(small_transform, reader):
    compiled, graph = losses(small_transform, reader, jit_compile=True)
    plain, _ = losses(small_transform, reader, jit_compile=False)
    np.testing.assert_allclose(compiled, plain, rtol=1e-3)
    assert sum(compiled[3:]) < sum(compiled[:3])
    inputs = [tensor for tensor in graph.inputs if tensor.dtype != tf.resource]
    assert inputs
    assert all(tensor.shape.is_fully_defined() for tensor in inputs)
