"""Builds the personalization codes, which the gates read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from pipeline.config import CodeConfig, ModelConfig
from pipeline.model.code_encoders import code_column, code_encoder, encoder_name
from pipeline.model.embeddings import Tensors
from preprocessing.transform.input_specs import InputSpec


class PersonalizationCode(tf_keras.layers.Layer):
    """What the gates of each module read: raw features, no activations (Sec. 4.5).

    A part that several modules read, and a code that several have, is made once.

    Args:
        specs: The model's inputs.
        embedding_rows: Rows of each id table.
        settings: The modules with gates, their codes, and widths of embeddings.

    Attributes:
        encoders: The layers that make the parts, by their names.
        columns: What they read, by the same names; the constant reads nothing.
    """

    def __init__(
        self,
        specs: Sequence[InputSpec],
        embedding_rows: Mapping[str, int],
        settings: ModelConfig,
    ):
        super().__init__(name="personalization_code")
        self._settings = settings
        by_name = {spec.name: spec for spec in specs}
        self.encoders = {
            encoder_name(code): code_encoder(
                code, by_name[code_column(code)], embedding_rows, settings
            )
            for code in self._parts()
        }
        self.columns = {
            encoder_name(code): code_column(code)
            for code in self._parts()
            if code.input != "constant"
        }

    def _parts(self) -> list[CodeConfig]:
        """What any module's code has, once; without `all_features`."""
        settings = self._settings
        parts = [c for m in settings.poso.modules for c in settings.codes_of(m)]
        return [c for c in dict.fromkeys(parts) if c.input != "all_features"]

    def call(
        self, inputs: Tensors, parts: Sequence[tf.Tensor] = ()
    ) -> dict[str, tf.Tensor]:
        """The code [batch, width] of each module with gates.

        Args:
            inputs: Transformed tensors; those that no code is made of may be missing.
            parts: What the model reads, embedded, for `all_features`.

        Returns:
            Codes of batch 1 where they depend on a shared user alone.
        """
        made = {
            code: [self.encoders[encoder_name(code)](inputs[code_column(code)])]
            for code in self._parts()
        }
        made[CodeConfig(input="all_features")] = [
            tf.cast(part, self.compute_dtype) for part in parts
        ]
        codes_of = {m: self._settings.codes_of(m) for m in self._settings.poso.modules}
        joined = {
            codes: _join([tensor for code in codes for tensor in made[code]])
            for codes in dict.fromkeys(codes_of.values())
        }
        return {module: joined[codes] for module, codes in codes_of.items()}


def _join(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Side by side; parts of a shared user, batch 1, are repeated beside others."""
    if len(parts) == 1:
        return parts[0]
    rows = tf.reduce_max(tf.stack([tf.shape(part)[0] for part in parts]))
    return tf.concat(
        [tf.broadcast_to(part, [rows, part.shape[-1]]) for part in parts], axis=-1
    )
