"""Embeds the transformed inputs.

A feature and its histories share one table. Index 0 is "missing" or "padding"; in
lists it is masked, in single features it is a row of its own that is learned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
import tf_keras

from pipeline.config import FitConfig, ModelConfig
from pipeline.model.losses import sum_over_replicas
from pipeline.model.tpu_tables import TPUTables, inputs_of_large_tables
from preprocessing.transform.input_specs import HISTORY_GAP, InputSpec

Tensors = Mapping[str, tf.Tensor]

GAP_BUCKETS = HISTORY_GAP


class FeatureEmbedding(tf_keras.layers.Layer):
    """All non-sequential inputs as a list of [batch, width] tensors.

    Args:
        specs: The model's inputs.
        embedding_rows: Rows of each id table and of the `history_gap` table.
        settings: Widths and penalties.
        training: Its strategy decides where large tables lie.
        learning_rate: Of the large tables of a TPU, which chips themselves train.
    """

    def __init__(
        self,
        specs: Sequence[InputSpec],
        embedding_rows: Mapping[str, int],
        settings: ModelConfig,
        training: FitConfig,
        learning_rate: Callable[[], tf.Tensor],
    ):
        # What is added to the inputs must keep its type under mixed precision.
        super().__init__(name="embedding", autocast=False)
        self._of_tables = [spec for spec in specs if spec.table]
        self._single = [spec for spec in specs if spec.kind != "history"]
        self._l2 = settings.embedding_l2
        narrow = settings.bucket_embedding_dim
        large = inputs_of_large_tables(specs, embedding_rows, training)
        self._large = None
        if large:
            self._large = TPUTables(
                large,
                embedding_rows,
                settings.embedding_dim,
                training.embedding_optimizer.name,
                learning_rate,
            )
        elsewhere = {spec.table for spec in large}
        self.tables = {
            table: tf_keras.layers.Embedding(
                embedding_rows[table], settings.embedding_dim, name=f"{table}_table"
            )
            for table in dict.fromkeys(spec.table for spec in specs if spec.table)
            if table not in elsewhere
        }
        for spec in specs:
            if spec.kind == "bucket":
                self.tables[spec.name] = tf_keras.layers.Embedding(
                    spec.bucket_values, narrow, name=f"{spec.name}_table"
                )
        self.tables[GAP_BUCKETS] = tf_keras.layers.Embedding(
            embedding_rows[GAP_BUCKETS], narrow, name=f"{GAP_BUCKETS}_table"
        )

    def prepared(self, inputs: Tensors) -> Tensors:
        """Adds to the inputs what is computed for all of them in one call.

        That is the rows of large tables, which a TPU looks up, and the numbers of ids
        that the penalty is a mean over, which the replicas add up.
        """
        added: dict[str, tf.Tensor] = {}
        if self._large is not None:
            rows = self._large(inputs)
            added.update({_rows_of(name): value for name, value in rows.items()})
        if self._l2:
            here = [tf.reduce_sum(_in_use(inputs, spec)) for spec in self._of_tables]
            numbers = tf.unstack(sum_over_replicas(tf.stack(here)))
            for spec, number in zip(self._of_tables, numbers, strict=True):
                added[_number_of(spec.name)] = number
        return {**inputs, **added}

    def call(self, inputs: Tensors) -> list[tf.Tensor]:
        """One [batch, width] tensor per input, in the order of the inputs."""
        return [self._embed(inputs, spec) for spec in self._single]

    def sequence(self, inputs: Tensors, spec: InputSpec) -> tf.Tensor:
        """A history as [batch, length, width]: its items and the time since each."""
        items = self._rows(inputs, spec)
        gaps = self.tables[GAP_BUCKETS](inputs[HISTORY_GAP])
        return tf.concat([items, gaps], axis=-1)

    def _embed(self, inputs: Tensors, spec: InputSpec) -> tf.Tensor:
        value = inputs[spec.name]
        if spec.kind == "numeric":
            return tf.cast(value, self.compute_dtype)[:, None]
        if spec.kind == "bucket":
            return self.tables[spec.name](value)
        rows = self._rows(inputs, spec)
        return rows if spec.kind == "id" else _masked_mean(rows, value > 0)

    def _rows(self, inputs: Tensors, spec: InputSpec) -> tf.Tensor:
        if spec.table in self.tables:
            rows = self.tables[spec.table](inputs[spec.name])
        else:
            rows = inputs[_rows_of(spec.name)]
        if self._l2:
            self.add_loss(self._l2 * _mean_square_share(inputs, spec, rows))
        return rows


def _rows_of(name: str) -> str:
    return f"{name}/rows"


def _number_of(name: str) -> str:
    return f"{name}/ids_in_use"


def _in_use(inputs: Tensors, spec: InputSpec) -> tf.Tensor:
    """1 for each id that is embedded, 0 for the padding of lists; float32."""
    ids = inputs[spec.name]
    used = tf.ones_like(ids) if spec.kind == "id" else ids > 0
    return tf.cast(used, tf.float32)


def _mean_square_share(inputs: Tensors, spec: InputSpec, rows: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean squared norm of the rows that an input reads.

    Summed over the replicas it is the mean over all ids of the global batch, each
    counted as often as it is there; 0 if there is none.
    """
    squares = tf.reduce_sum(tf.square(tf.cast(rows, tf.float32)), axis=-1)
    total = tf.reduce_sum(squares * _in_use(inputs, spec))
    return tf.math.divide_no_nan(total, inputs[_number_of(spec.name)])


def _masked_mean(rows: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """[batch, length, width] to [batch, width]; all zero where nothing is known."""
    weight = tf.cast(mask, rows.dtype)[:, :, None]
    return tf.math.divide_no_nan(
        tf.reduce_sum(rows * weight, axis=1), tf.reduce_sum(weight, axis=1)
    )
