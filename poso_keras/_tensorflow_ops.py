"""The operations of `keras.ops` the layers use, for `tf_keras`: names as there."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

expand_dims = tf.expand_dims
logical_and = tf.logical_and
matmul = tf.matmul
reshape = tf.reshape
softmax = tf.nn.softmax
stack = tf.stack
unstack = tf.unstack
where = tf.where
zeros_like = tf.zeros_like


def cast(x: Any, dtype: str) -> Any:
    """Casts a tensor or array."""
    return tf.cast(x, dtype)


def convert_to_numpy(x: Any) -> Any:
    """Returns a tensor's value as an array."""
    return tf.convert_to_tensor(x).numpy()


def sum(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Sums over an axis, or over all."""
    return tf.reduce_sum(x, axis=axis, keepdims=keepdims)


def take(x: Any, indices: Any, axis: int) -> Any:
    """Returns the entries at these places of an axis."""
    return tf.gather(x, indices, axis=axis)


def transpose(x: Any, axes: Sequence[int]) -> Any:
    """Permutes the axes."""
    return tf.transpose(x, perm=axes)


def matmul_transposed(a: Any, b: Any) -> Any:
    """[..., m, k] x [..., n, k] -> [..., m, n].

    The gradient of b is one product; through a transpose it would be copied.
    """
    return tf.matmul(a, b, transpose_b=True)
