"""Embedding tables and dense weights, each by an optimizer, clipped together."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.training.optimizers.composite_optimizer import CompositeOptimizer
from pipeline.training.optimizers.lazy_adam import LazyAdam
from tests.helpers.toy_tables import (
    dense_gradients,
    gradients,
    table_model,
)

SGD = tf_keras.optimizers.SGD


def moved_by(optimizer, model):
    before = [v.numpy() for v in model.trainable_variables]
    optimizer.apply_gradients(gradients(model))
    after = [v.numpy() for v in model.trainable_variables]
    return [new - old for new, old in zip(after, before, strict=True)]


def test_tables_and_dense_weights_have_their_own_learning_rates():
    model = table_model()
    of_table, of_kernel, of_bias = dense_gradients(model)
    moved = moved_by(CompositeOptimizer(SGD(0.5), SGD(3.0), model), model)
    expected = (-3.0 * of_table, -0.5 * of_kernel, -0.5 * of_bias)
    for one, other in zip(moved, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_both_are_clipped_by_the_norm_of_all_gradients():
    model = table_model()
    pairs = gradients(model)
    # As Keras counts: each look-up of a row by itself.
    squares = [
        np.sum(np.square(g.values if isinstance(g, tf.IndexedSlices) else g))
        for g, _ in pairs
    ]
    norm = np.sqrt(sum(squares))
    expected = [-(norm / 4 / norm) * gradient for gradient in dense_gradients(model)]
    optimizer = CompositeOptimizer(SGD(1.0), SGD(1.0), model, clip_norm=norm / 4)
    for one, other in zip(moved_by(optimizer, model), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_with_equal_parts_it_is_one_optimizer():
    models = [table_model(), table_model()]
    single = tf_keras.optimizers.Adam(0.01, global_clipnorm=0.3)
    parts = [tf_keras.optimizers.Adam(0.01) for _ in range(2)]
    composite = CompositeOptimizer(*parts, models[1], clip_norm=0.3)
    for _ in range(3):
        single.apply_gradients(gradients(models[0]))
        composite.apply_gradients(gradients(models[1]))
    for one, other in zip(*(m.trainable_variables for m in models), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)
    assert int(composite.iterations) == 3


class Watched(SGD):
    """Keeps the gradients that reach it."""

    def update_step(self, gradient, variable):
        self.seen = gradient
        super().update_step(gradient, variable)


def test_the_gradient_of_a_table_is_never_as_large_as_the_table():
    model = table_model()
    watched = Watched(0.1)
    CompositeOptimizer(SGD(0.1), watched, model, clip_norm=0.1).apply_gradients(
        gradients(model)
    )
    assert isinstance(watched.seen, tf.IndexedSlices)
    assert sorted(watched.seen.indices.numpy()) == [1, 2, 3, 4, 5]


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(tmp_path):
    def new():
        model = table_model()
        parts = (tf_keras.optimizers.Adam(0.1), LazyAdam(0.1))
        optimizer = CompositeOptimizer(*parts, model, clip_norm=1.0)
        optimizer.build(model.trainable_variables)
        return model, optimizer

    def train(model, optimizer):
        optimizer.apply_gradients(gradients(model))
        return tf.train.Checkpoint(model=model, optimizer=optimizer)

    whole = new()
    path = train(*whole).save(tmp_path / "saved")
    train(*whole)
    resumed = new()
    checkpoint = tf.train.Checkpoint(model=resumed[0], optimizer=resumed[1])
    checkpoint.restore(path).assert_consumed()
    train(*resumed)
    assert int(resumed[1].iterations) == 2
    pairs = zip(
        whole[0].variables + list(whole[1].weights),
        resumed[0].variables + list(resumed[1].weights),
        strict=True,
    )
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_its_learning_rate_is_that_of_the_dense_weights():
    optimizer = CompositeOptimizer(SGD(0.5), SGD(3.0), table_model())
    assert float(optimizer.learning_rate) == 0.5


@pytest.mark.e2e
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_mirrored_training_is_that_of_one_device(policy):
    # Logical devices can only be made before TensorFlow starts.
    script = f"""
        import numpy as np
        import pipeline
        import tensorflow as tf
        import tf_keras
        from pipeline.config import StrategyConfig
        from pipeline.training.optimizers.composite_optimizer import CompositeOptimizer
        from pipeline.training.optimizers.lazy_adam import LazyAdam
        from pipeline.training.strategies.build import build_strategy
        from tests.helpers.toy_tables import IDS, LABELS, table_model

        mirrored = build_strategy(StrategyConfig(kind="mirrored", replicas=2))
        tf_keras.mixed_precision.set_global_policy("{policy}")

        def trained(strategy):
            with strategy.scope():
                model = table_model()
                parts = (tf_keras.optimizers.Adam(0.01), LazyAdam(0.01))
                model.compile(CompositeOptimizer(*parts, model, clip_norm=0.1))
            scaled = hasattr(model.optimizer, "get_scaled_loss")
            assert scaled == ("{policy}" == "mixed_float16")

            def step(ids, labels):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum((model(ids) - labels) ** 2) / len(IDS)
                    if scaled:
                        loss = model.optimizer.get_scaled_loss(loss)
                gradients = tape.gradient(loss, model.trainable_variables)
                if scaled:
                    gradients = model.optimizer.get_unscaled_gradients(gradients)
                pairs = zip(gradients, model.trainable_variables)
                model.optimizer.apply_gradients(pairs)

            data = tf.data.Dataset.from_tensor_slices((IDS, LABELS))
            data = data.batch(len(IDS)).repeat(3)
            run = tf.function(lambda batch: strategy.run(step, batch), autograph=False)
            for batch in strategy.experimental_distribute_dataset(data):
                run(batch)
            assert model.optimizer.iterations.numpy() == 3
            return [v.numpy() for v in model.trainable_variables]

        for one, other in zip(trained(tf.distribute.get_strategy()), trained(mirrored)):
            np.testing.assert_allclose(one, other, atol=1e-5)
        print("equal")
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "equal\n", run.stderr
