"""The smallest model with an embedding table and dense weights."""

import numpy as np
import tensorflow as tf
import tf_keras

ROWS, WIDTH = 10, 4
IDS = np.array([1, 2, 2, 3, 5, 1, 1, 4])
LABELS = np.array([1, 0, 1, 0, 1, 0, 1, 1], np.float32)
UNUSED = [0, 6, 7, 8, 9]


class TableModel(tf_keras.Model):
    def __init__(self):
        super().__init__()
        self.table = tf_keras.layers.Embedding(ROWS, WIDTH)
        self.out = tf_keras.layers.Dense(1, dtype="float32")

    def call(self, ids):
        return self.out(self.table(ids))[:, 0]


def table_model():
    tf_keras.utils.set_random_seed(1)
    model = TableModel()
    model(IDS)
    return model


def gradients(model, ids=IDS, labels=LABELS):
    """Of the mean square error, as `(gradient, variable)` pairs."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(ids) - labels) ** 2)
    variables = model.trainable_variables
    return list(zip(tape.gradient(loss, variables), variables, strict=True))


def dense_gradients(model):
    """By hand: of the table [ROWS, WIDTH], the kernel [WIDTH, 1] and the bias [1]."""
    table, kernel, bias = (v.numpy().astype(np.float64) for v in model.variables)
    errors = 2 * (table[IDS] @ kernel[:, 0] + bias - LABELS) / len(IDS)
    of_table = np.zeros_like(table)
    for row, error in zip(IDS, errors, strict=True):
        of_table[row] += error * kernel[:, 0]
    return of_table, (errors @ table[IDS])[:, None], errors.sum(keepdims=True)
