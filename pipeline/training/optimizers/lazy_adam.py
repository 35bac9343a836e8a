"""Adam for embedding tables: a step costs the rows in use, not the table."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


@tf_keras.utils.register_keras_serializable(package="poso")
class LazyAdam(tf_keras.optimizers.Adam):
    """Adam whose moments of a row rest while no example of a batch has the row.

    For the rows i of a sparse gradient g, with t the steps so far:
    m_i = b1 m_i + (1 - b1) g_i, v_i = b2 v_i + (1 - b2) g_i^2,
    w_i = w_i - r sqrt(1 - b2^t) / (1 - b1^t) m_i / (sqrt(v_i) + epsilon).
    All other rows, and their moments, stay. A row that is in every batch moves as under
    Keras' Adam, which decays the moments of all rows and moves all of them along: for
    a table of 10 million rows some seconds a step. Dense gradients are Keras' own.

    Args: as those of `tf_keras.optimizers.Adam`; `amsgrad` and `adaptive_epsilon`
    concern dense gradients alone.
    """

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable
    ) -> None:
        """Applies the gradient of one variable; its rows are distinct."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        rows, values = gradient.indices, gradient.values
        place = self._index_dict[self._var_key(variable)]
        means, squares = self._momentums[place], self._velocities[place]
        mean, square = tf.gather(means, rows), tf.gather(squares, rows)
        mean += (values - mean) * (1 - self.beta_1)
        square += (tf.square(values) - square) * (1 - self.beta_2)
        means.scatter_update(tf.IndexedSlices(mean, rows))
        squares.scatter_update(tf.IndexedSlices(square, rows))
        steps = tf.cast(self.iterations + 1, variable.dtype)
        correction = tf.sqrt(1 - tf.pow(self.beta_2, steps))
        correction /= 1 - tf.pow(self.beta_1, steps)
        rate = tf.cast(self.learning_rate, variable.dtype) * correction
        step = rate * mean / (tf.sqrt(square) + self.epsilon)
        # Not set, but lowered: another worker of parameter servers may do so, too.
        variable.scatter_sub(tf.IndexedSlices(step, rows))
