from types import SimpleNamespace

import pytest
import tensorflow as tf
import tf_keras

from pipeline.training.optimizers.learning_rates import learning_rates

kinds = tf_keras.optimizers


def test_a_rate_goes_by_the_optimizers_name():
    assert learning_rates(kinds.Adam(0.25)) == {"adam": 0.25}


@pytest.mark.parametrize("generation", [kinds, kinds.legacy])
def test_of_a_schedule_it_is_that_of_the_last_step(generation):
    schedule = kinds.schedules.PolynomialDecay(1.0, 4, 0.0)
    optimizer = generation.SGD(schedule)
    weight = tf.Variable(0.0)
    for rate in (1.0, 0.75, 0.5):
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
        assert learning_rates(optimizer) == {"sgd": pytest.approx(rate)}


def test_it_is_found_behind_loss_scaling():
    scaled = tf_keras.mixed_precision.LossScaleOptimizer(kinds.Adagrad(0.5))
    assert learning_rates(scaled) == {"adagrad": 0.5}


def test_composed_optimizers_have_one_each():
    parts = SimpleNamespace(optimizers=[kinds.Adam(0.5), kinds.Adam(0.25)])
    assert learning_rates(parts) == {"adam": 0.5, "adam_1": 0.25}
