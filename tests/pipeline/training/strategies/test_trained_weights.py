import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.training.strategies.trained_weights import (
    copy_by_checkpoint,
    copy_weights,
)


def variable(name, *shape, start=0):
    size = int(np.prod(shape))
    values = np.arange(start, start + size, dtype=np.float32).reshape(shape)
    return tf.Variable(values, name=name)


def test_parts_of_a_split_variable_become_one_again():
    trained = [
        variable("model/table/part_0", 3, 2),
        variable("model/table/part_1", 2, 2, start=6),
        variable("model/bias", 4, start=10),
        variable("model/scale"),
    ]
    fresh = [
        variable("model_1/table", 5, 2, start=90),
        variable("model_1/bias", 4, start=90),
        variable("model_1/scale", start=90),
    ]
    copy_weights(trained, fresh)
    np.testing.assert_array_equal(fresh[0], np.arange(10).reshape(5, 2))
    np.testing.assert_array_equal(fresh[1], np.arange(10, 14))
    np.testing.assert_array_equal(fresh[2], 0)


@pytest.mark.parametrize(
    ("trained", "message"),
    [
        ([variable("model/other", 2)], "must have the weight m/table:0.*other"),
        ([], "no more"),
        ([variable("model/table/part_0", 1)], "no more"),
        ([variable("model/table", 2), variable("model/bias", 1)], "fewer"),
    ],
)
def test_another_models_weights_are_refused(trained, message):
    with pytest.raises(ValueError, match=message):
        copy_weights(trained, [variable("m/table", 2)])


class Rows(tf_keras.layers.Layer):
    """Holds a table that Keras does not know, as a TPU's layer does."""

    def __init__(self, start):
        super().__init__()
        self.holder = tf.Module()
        self.holder.table = variable("table", 3, start=start)

    def call(self, inputs):
        return inputs


def model_of(seed, units=2):
    tf_keras.utils.set_random_seed(seed)
    model = tf_keras.Sequential([Rows(seed), tf_keras.layers.Dense(units)])
    model(tf.ones([1, 3]))
    model.compile(optimizer="adam")
    model.optimizer.build(model.trainable_variables)
    return model


def test_a_checkpoint_copies_tables_that_are_no_keras_weights():
    trained, fresh = model_of(1), model_of(50)
    copy_by_checkpoint(trained, fresh)
    np.testing.assert_array_equal(fresh.layers[0].holder.table, [1, 2, 3])
    for mine, theirs in zip(fresh.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_checkpoint_of_another_model_is_refused():
    with pytest.raises((AssertionError, ValueError)):
        copy_by_checkpoint(model_of(1), model_of(2, units=4))
