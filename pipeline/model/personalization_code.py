"""Builds the personalization code, which the gates read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from pipeline.config import ModelConfig
from pipeline.model.embeddings import Tensors
from preprocessing.transform.input_specs import InputSpec


class PersonalizationCode(tf_keras.layers.Layer):
    """What the gates read (paper, Sec. 4.5 and Table 6): raw features, no activations.

    Buckets and flags enter one-hot. Ids enter through tables of their own, so that the
    gates' view of an id is not shaped by the rest of the network.
    """

    _COLUMNS: Mapping[str, str] = {"video_age": "video_age_hours"}

    def __init__(
        self,
        specs: Sequence[InputSpec],
        embedding_rows: Mapping[str, int],
        settings: ModelConfig,
    ):
        super().__init__(name="personalization_code")
        by_name = {spec.name: spec for spec in specs}
        self._all_features = "all_features" in settings.personalization_code
        self._specs = [
            by_name[self._COLUMNS.get(code, code)]
            for code in settings.personalization_code
            if code != "all_features"
        ]
        self.codes = {
            spec.name: tf_keras.layers.Embedding(
                embedding_rows[spec.table],
                settings.embedding_dim,
                name=f"{spec.name}_code",
            )
            if spec.kind == "id"
            else _OneHot(spec.bucket_values, name=f"{spec.name}_code")
            for spec in self._specs
        }

    def call(self, inputs: Tensors, parts: Sequence[tf.Tensor]) -> tf.Tensor:
        """[batch, code width]; batch 1 where it depends on a shared user alone."""
        codes = [self.codes[name](inputs[name]) for name in self.codes]
        if self._all_features:
            codes.extend(tf.cast(part, self.compute_dtype) for part in parts)
        if len(codes) == 1:
            return codes[0]
        rows = tf.reduce_max(tf.stack([tf.shape(code)[0] for code in codes]))
        return tf.concat(
            [tf.broadcast_to(code, [rows, code.shape[-1]]) for code in codes], axis=-1
        )


class _OneHot(tf_keras.layers.Layer):
    """Bucket numbers [batch] to [batch, depth]; a layer, so that it can be masked."""

    def __init__(self, depth: int, name: str):
        super().__init__(name=name)
        self._depth = depth

    def call(self, buckets: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(buckets, self._depth, dtype=self.compute_dtype)
