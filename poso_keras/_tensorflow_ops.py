"""The operations of `keras.ops` the layers use, for `tf_keras`: names as there."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

expand_dims = tf.expand_dims
matmul = tf.matmul
reshape = tf.reshape
softmax = tf.nn.softmax
stack = tf.stack
unstack = tf.unstack
where = tf.where


def cast(x: Any, dtype: str) -> Any:
    """Casts a tensor or array."""
    return tf.cast(x, dtype)


def sum(x: Any, axis: int, keepdims: bool = False) -> Any:
    """Sums over an axis."""
    return tf.reduce_sum(x, axis=axis, keepdims=keepdims)


def transpose(x: Any, axes: Sequence[int]) -> Any:
    """Permutes the axes."""
    return tf.transpose(x, perm=axes)
