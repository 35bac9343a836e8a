"""Lazy Adam against its formula, and against Keras' Adam where both are the same."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.training.optimizers.lazy_adam import LazyAdam

RATE, BETA_1, BETA_2, EPSILON = 0.1, 0.9, 0.999, 1e-7


def sparse(values, rows):
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), dense_shape=[4, 2])


@pytest.fixture
def table():
    return tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2))


def random_steps(rows_of_steps, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(len(rows), 2)).astype(np.float32), rows)
        for rows in rows_of_steps
    ]


def by_formula(weights, steps):
    weights = weights.astype(np.float64)
    means, squares = np.zeros_like(weights), np.zeros_like(weights)
    for number, (values, rows) in enumerate(steps, start=1):
        for value, row in zip(values, rows, strict=True):
            means[row] = BETA_1 * means[row] + (1 - BETA_1) * value
            squares[row] = BETA_2 * squares[row] + (1 - BETA_2) * value**2
            rate = RATE * np.sqrt(1 - BETA_2**number) / (1 - BETA_1**number)
            weights[row] -= rate * means[row] / (np.sqrt(squares[row]) + EPSILON)
    return weights


def test_rows_move_by_the_formula_and_rest_while_they_are_not_in_a_batch(table):
    steps = random_steps([[0, 2], [2], [3, 0], [2, 0]])
    expected = by_formula(table.numpy(), steps)
    before = table.numpy()[1]
    optimizer = LazyAdam(RATE)
    for values, rows in steps:
        optimizer.apply_gradients([(sparse(values, rows), table)])
    np.testing.assert_allclose(table, expected, rtol=1e-5)
    np.testing.assert_array_equal(table[1], before)


def test_rows_that_are_in_every_batch_move_as_under_adam(table):
    other = tf.Variable(table)
    lazy, adam = LazyAdam(RATE), tf_keras.optimizers.Adam(RATE)
    for values, rows in random_steps([[1, 3]] * 4):
        lazy.apply_gradients([(sparse(values, rows), table)])
        adam.apply_gradients([(sparse(values, rows), other)])
    np.testing.assert_allclose(table, other, rtol=1e-6)


def test_a_row_that_was_looked_up_twice_moves_once_by_the_sum(table):
    other = tf.Variable(table)
    for twice, weights in ((True, table), (False, other)):
        optimizer = LazyAdam(RATE)
        values, rows = ([[1.0, 2.0], [3.0, -5.0]], [2, 2])
        gradient = sparse(values, rows) if twice else sparse([[4.0, -3.0]], [2])
        optimizer.apply_gradients([(gradient, weights)])
    np.testing.assert_allclose(table, other, rtol=1e-6)


def test_dense_gradients_are_adams():
    weights, other = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])
    lazy, adam = LazyAdam(RATE), tf_keras.optimizers.Adam(RATE)
    for values, _ in random_steps([[0]] * 3):
        lazy.apply_gradients([(tf.constant(values[0]), weights)])
        adam.apply_gradients([(tf.constant(values[0]), other)])
    np.testing.assert_array_equal(weights, other)


def test_it_is_made_again_of_its_settings():
    optimizer = LazyAdam(0.5, beta_1=0.8)
    again = tf_keras.optimizers.deserialize(tf_keras.optimizers.serialize(optimizer))
    assert isinstance(again, LazyAdam)
    assert (again.beta_1, float(again.learning_rate)) == (0.8, 0.5)
