"""Embeds the transformed inputs.

A feature and its histories share one table. Index 0 is "missing" or "padding"; in
lists it is masked, in single features it is a row of its own that is learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from pipeline.config import ModelConfig
from preprocessing.transform.input_specs import HISTORY_GAP, InputSpec

Tensors = Mapping[str, tf.Tensor]

GAP_BUCKETS = HISTORY_GAP


class FeatureEmbedding(tf_keras.layers.Layer):
    """All non-sequential inputs as a list of [batch, width] tensors.

    Args:
        specs: The model's inputs.
        embedding_rows: Rows of each id table and of the `history_gap` table.
        settings: Widths and penalties.
    """

    def __init__(
        self,
        specs: Sequence[InputSpec],
        embedding_rows: Mapping[str, int],
        settings: ModelConfig,
    ):
        super().__init__(name="embedding")
        self._single = [spec for spec in specs if spec.kind != "history"]
        self._l2 = settings.embedding_l2
        narrow = settings.bucket_embedding_dim
        self.tables = {
            table: tf_keras.layers.Embedding(
                embedding_rows[table], settings.embedding_dim, name=f"{table}_table"
            )
            for table in dict.fromkeys(spec.table for spec in specs if spec.table)
        }
        for spec in specs:
            if spec.kind == "bucket":
                self.tables[spec.name] = tf_keras.layers.Embedding(
                    spec.bucket_values, narrow, name=f"{spec.name}_table"
                )
        self.tables[GAP_BUCKETS] = tf_keras.layers.Embedding(
            embedding_rows[GAP_BUCKETS], narrow, name=f"{GAP_BUCKETS}_table"
        )

    def call(self, inputs: Tensors) -> list[tf.Tensor]:
        """One [batch, width] tensor per input, in the order of the inputs."""
        return [self._embed(inputs[spec.name], spec) for spec in self._single]

    def sequence(self, inputs: Tensors, spec: InputSpec) -> tf.Tensor:
        """A history as [batch, length, width]: its items and the time since each."""
        items = self._penalized(self.tables[spec.table](inputs[spec.name]))
        gaps = self.tables[GAP_BUCKETS](inputs[HISTORY_GAP])
        return tf.concat([items, gaps], axis=-1)

    def _embed(self, value: tf.Tensor, spec: InputSpec) -> tf.Tensor:
        if spec.kind == "numeric":
            return tf.cast(value, self.compute_dtype)[:, None]
        if spec.kind == "bucket":
            return self.tables[spec.name](value)
        rows = self._penalized(self.tables[spec.table](value))
        return rows if spec.kind == "id" else _masked_mean(rows, value > 0)

    def _penalized(self, rows: tf.Tensor) -> tf.Tensor:
        """Adds the L2 penalty of the rows in use, not of the whole table."""
        if self._l2:
            squares = tf.reduce_sum(tf.square(tf.cast(rows, tf.float32)), axis=-1)
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            self.add_loss(self._l2 * tf.reduce_mean(squares) / replicas)
        return rows


def _masked_mean(rows: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """[batch, length, width] to [batch, width]; all zero where nothing is known."""
    weight = tf.cast(mask, rows.dtype)[:, :, None]
    return tf.math.divide_no_nan(
        tf.reduce_sum(rows * weight, axis=1), tf.reduce_sum(weight, axis=1)
    )
