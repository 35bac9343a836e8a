"""Large tables of ids as TPUs look them up: spread over the chips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

from pipeline.config import FitConfig
from preprocessing.transform.input_specs import InputSpec

# Of `training.embedding_optimizer.name`, without what FitConfig refuses for TPUs.
_OPTIMIZERS = {
    "adam": tf.tpu.experimental.embedding.Adam,
    "lazy_adam": tf.tpu.experimental.embedding.Adam,
    "adagrad": tf.tpu.experimental.embedding.Adagrad,
}


def inputs_of_large_tables(
    specs: Sequence[InputSpec], embedding_rows: Mapping[str, int], training: FitConfig
) -> list[InputSpec]:
    """The inputs whose tables are spread over chips; none but with strategy `tpu`."""
    if training.strategy.kind != "tpu":
        return []
    limit = training.embedding.tpu_min_rows
    return [s for s in specs if s.table and embedding_rows[s.table] > limit]


class TPUTables(tf_keras.layers.Layer):
    """Looks up all inputs of large tables at once, by TFRS' `TPUEmbedding`.

    Under a TPU strategy the gradients go to the chips' own optimizer, and `clip_norm`
    is that of the other weights alone. Under any other strategy, to export or to test,
    the same layer looks up on the CPU and its tables are weights like all others;
    checkpoints are of one kind.

    Args:
        specs: The inputs; those with the same table share it.
        embedding_rows: Rows of each table.
        width: Width of an embedding.
        optimizer: Its name in `training.embedding_optimizer`.
        learning_rate: Asked for in each step, under a TPU strategy.
    """

    def __init__(
        self,
        specs: Sequence[InputSpec],
        embedding_rows: Mapping[str, int],
        width: int,
        optimizer: str,
        learning_rate: Callable[[], tf.Tensor],
    ):
        super().__init__(name="tpu_tables")
        self._names = [spec.name for spec in specs]
        tables = {
            table: tf.tpu.experimental.embedding.TableConfig(
                embedding_rows[table],
                width,
                initializer=tf.random_uniform_initializer(-0.05, 0.05),  # as Keras'
                name=f"{table}_table",
            )
            for table in dict.fromkeys(spec.table for spec in specs)
        }
        features = {
            spec.name: tf.tpu.experimental.embedding.FeatureConfig(tables[spec.table])
            for spec in specs
        }
        on_chips = None
        if isinstance(tf.distribute.get_strategy(), tf.distribute.TPUStrategy):
            on_chips = _OPTIMIZERS[optimizer](learning_rate=learning_rate)
        self._tables = tfrs.layers.embedding.TPUEmbedding(features, on_chips)

    def call(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Rows [..., width] of each input [...], by its name."""
        rows = self._tables({name: inputs[name] for name in self._names})
        return {
            name: tf.cast(value, self.compute_dtype) for name, value in rows.items()
        }
