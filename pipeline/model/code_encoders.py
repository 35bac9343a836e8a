"""The layers that encode inputs as parts of a code."""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from pipeline.config import CodeConfig, ModelConfig
from poso_keras import BucketEncoding
from preprocessing.transform.input_specs import InputSpec, bucket_input

_COLUMNS: Mapping[str, str] = {"video_age": "video_age_hours"}


def code_column(code: CodeConfig) -> str:
    """The transformed input that a code is made of; not of `all_features`.

    `constant` takes its number of rows from the column, and nothing else.
    """
    if code.input == "constant":
        return "avc"
    if code.of_rates:
        return bucket_input(code.input)
    return _COLUMNS.get(code.input, code.input)


def encoder_name(code: CodeConfig) -> str:
    """The name of a code's layer: its column and encoding."""
    if code.input == "constant":
        return "constant"
    return f"{code_column(code)}_{code.encoding}"


def code_encoder(
    code: CodeConfig,
    spec: InputSpec,
    embedding_rows: Mapping[str, int],
    settings: ModelConfig,
) -> tf_keras.layers.Layer:
    """A layer from [batch] to [batch, width], called `encoder_name(code)`.

    Args:
        code: The code.
        spec: Its column.
        embedding_rows: Rows of each id table.
        settings: Widths of embeddings.
    """
    name = encoder_name(code)
    if code.input == "constant":
        return Ones(name=name)
    if code.encoding and code.encoding != "embedded":
        return BucketEncoding(
            spec.bucket_values, code.encoding, zero_is_missing=True, name=name
        )
    # A table of its own: the gates' view is not shaped by the rest of the network.
    if spec.kind == "id":
        rows, width = embedding_rows[spec.table], settings.embedding_dim
    else:
        rows, width = spec.bucket_values, settings.bucket_embedding_dim
    return tf_keras.layers.Embedding(rows, width, name=name)


class Ones(tf_keras.layers.Layer):
    """[batch] to [batch, 1] of ones."""

    def call(self, column: tf_keras.KerasTensor) -> tf_keras.KerasTensor:
        """Returns as many ones as there are rows."""
        ones = tf_keras.backend.ones_like(column, dtype=self.compute_dtype)
        return tf_keras.backend.expand_dims(ones)
