"""POSO (MHA) computed in the order of the paper's equations."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tf_keras

import poso_keras


class TextbookAttention(tf_keras.layers.Layer):
    """Eq. 12 to 14 as written: K and all N copies of V are projected along L first.

    It holds no weights but reads those of the cheap layer, so that both compute the
    same function of the same parameters. The projections are one product each; what
    follows is done in one of two ways:

    - `einsums`: scores and pooled values as einsums over [batch, seq, head, dim].
    - `blocks`: as products of whole matrices, where the query is laid out
      block-diagonally, one row per head, and of each head's pooled row only its own
      block is kept. H times the operations after the projections, but no transpose
      of a tensor that has L: the fastest textbook order we found.

    Args:
        cheap: a built `POSOMultiHeadAttention` in its default modes (shared Q, gated
            K, full V).
        products: "einsums" or "blocks".
    """

    def __init__(
        self, cheap: poso_keras.POSOMultiHeadAttention, products: str = "einsums"
    ) -> None:
        super().__init__()
        modes = (cheap.query_mode, cheap.key_mode, cheap.value_mode)
        if modes != ("shared", "gated", "full"):
            raise ValueError(
                "`cheap` must have the modes ('shared', 'gated', 'full'). "
                f"Received: {modes}"
            )
        ways = {"einsums": self._attend_by_einsums, "blocks": self._attend_by_blocks}
        if products not in ways:
            raise ValueError(
                f"`products` must be one of {tuple(ways)}. Received: {products!r}"
            )
        self.cheap = cheap
        self._attend = ways[products]

    def call(
        self, query: tf.Tensor, value: tf.Tensor, code: tf.Tensor, mask: tf.Tensor
    ) -> tf.Tensor:
        """Returns [batch, heads * key_dim].

        Args:
            query: [batch, query_dim].
            value: [batch, seq, value_dim].
            code: [batch, code_dim].
            mask: [batch, seq], true where `value` is valid.
        """
        cheap, (seq, value_dim) = self.cheap, value.shape[1:]
        rows = tf.reshape(value, (-1, value_dim))
        keys = tf.reshape(
            tf.matmul(rows, cheap.key_kernel[0]), (-1, seq, cheap.output_dim)
        )
        # All copies side by side: [rows, value_dim] x [value_dim, N * width].
        kernels = tf.transpose(cheap.value_kernel, (1, 0, 2))
        values = tf.matmul(rows, tf.reshape(kernels, (value_dim, -1)))
        pooled = self._attend(
            tf.matmul(query, cheap.query_kernel[0]) / math.sqrt(cheap.key_dim),
            keys * cheap.key_gate(code)[:, None],
            tf.reshape(values, (-1, seq, cheap.num_modules * cheap.output_dim)),
            mask[:, None, :],
        )
        gates = cheap.module_gate(code)[:, :, None]
        return tf.reduce_sum(pooled * gates, axis=1)

    def _attend_by_einsums(
        self, query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, valid: tf.Tensor
    ) -> tf.Tensor:
        """[batch, width], [batch, seq, width], [batch, seq, N * width] -> [.., N, ..].

        Returns:
            [batch, modules, width].
        """
        cheap, seq = self.cheap, keys.shape[1]
        heads = (cheap.num_heads, cheap.key_dim)
        query = tf.reshape(query, (-1, *heads))
        keys = tf.reshape(keys, (-1, seq, *heads))
        values = tf.reshape(values, (-1, seq, cheap.num_modules, *heads))
        weights = _softmax(tf.einsum("bhe,blhe->bhl", query, keys), valid)
        pooled = tf.einsum("bhl,blnhe->bnhe", weights, values)
        return tf.reshape(pooled, (-1, cheap.num_modules, cheap.output_dim))

    def _attend_by_blocks(
        self, query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, valid: tf.Tensor
    ) -> tf.Tensor:
        """The same by whole matrices."""
        cheap = self.cheap
        eye = np.eye(cheap.num_heads, dtype="float32")
        blocks = tf.constant(np.repeat(eye, cheap.key_dim, axis=1))  # [heads, width]
        scores = tf.matmul(query[:, None] * blocks, keys, transpose_b=True)
        pooled = tf.matmul(_softmax(scores, valid), values)
        shape = (-1, cheap.num_heads, cheap.num_modules, cheap.output_dim)
        return tf.reduce_sum(tf.reshape(pooled, shape) * blocks[:, None], axis=1)


def _softmax(scores: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    """[batch, heads, seq] and [batch, 1, seq]; all zero where nothing is valid."""
    weights = tf.nn.softmax(tf.where(valid, scores, -1e9))
    return weights * tf.cast(valid, weights.dtype)
