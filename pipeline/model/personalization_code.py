"""Builds the personalization codes, which the gates read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from pipeline.config import CodeConfig, ModelConfig
from pipeline.config.model import Module
from pipeline.model.code_encoders import code_column, code_encoder, encoder_name
from pipeline.model.embeddings import Tensors
from preprocessing.transform.input_specs import InputSpec

# The modules of each layer, which takes the same `code_rows` for all of them.
_LAYERS: tuple[tuple[Module, ...], ...] = (
    ("mlp",),
    ("attention",),
    ("mmoe", "experts"),
)
# Fewer than most batches have rows; what more would gain in training, serving loses.
_MOST_CODES = 64


class ModuleCode(NamedTuple):
    """What the gates of a module read.

    Attributes:
        codes: [batch, width]; with rows the distinct codes alone, [codes, width].
        rows: Which of the codes is that of each example, int64 [batch], or None.
    """

    codes: tf.Tensor
    rows: tf.Tensor | None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of a personalized layer."""
        return {"personalization_code": self.codes, "code_rows": self.rows}


class PersonalizationCode(tf_keras.layers.Layer):
    """What the gates of each module read: raw features, no activations (Sec. 4.5).

    Codes that buckets make are few: they are made once each, with the row of each
    example beside them, so that gates are computed by code and not by example. A part
    that several modules read is made once.

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
        parts = [c for m in settings.poso.modules for c in settings.codes_of(m)]
        encoded = [c for c in dict.fromkeys(parts) if c.input != "all_features"]
        self.encoders = {
            encoder_name(code): code_encoder(
                code, by_name[code_column(code)], embedding_rows, settings
            )
            for code in encoded
        }
        self.columns = {
            encoder_name(code): code_column(code)
            for code in encoded
            if code.input != "constant"
        }
        self._bucket_values = {
            code_column(code): by_name[code_column(code)].bucket_values
            for code in encoded
            if by_name[code_column(code)].kind == "bucket"
        }

    def call(
        self, inputs: Tensors, parts: Sequence[tf.Tensor] = ()
    ) -> dict[Module, ModuleCode]:
        """The code of each module with gates.

        Args:
            inputs: Transformed tensors; those that no code is made of may be missing.
            parts: What the model reads, embedded, for `all_features`.

        Returns:
            Codes of batch 1, without rows, where they depend on a shared user alone.
        """
        features = [tf.cast(part, self.compute_dtype) for part in parts]
        encoded: dict[tuple[CodeConfig, tuple[str, ...]], list[tf.Tensor]] = {}
        made: dict[Module, ModuleCode] = {}
        for modules in _LAYERS:
            codes = {
                module: self._settings.codes_of(module)
                for module in modules
                if module in self._settings.poso.modules
            }
            columns = self._few(inputs, [c for own in codes.values() for c in own])
            read, rows = _distinct(inputs, columns, self._bucket_values)
            for module, own in codes.items():
                for code in own:
                    if (code, columns) in encoded:
                        continue
                    encoded[code, columns] = (
                        features
                        if code.input == "all_features"
                        else [
                            self.encoders[encoder_name(code)](read[code_column(code)])
                        ]
                    )
                joined = _join([p for code in own for p in encoded[code, columns]])
                made[module] = ModuleCode(joined, rows)
        return made

    def _few(self, inputs: Tensors, codes: Sequence[CodeConfig]) -> tuple[str, ...]:
        """The columns of some codes, where all are buckets and make few codes.

        No columns where they do not, or where there is but one example; nor of embedded
        codes: a batch must not move the rows of buckets that it does not have.
        """
        if any(code.encoding == "embedded" for code in codes):
            return ()
        if any(code.input == "all_features" for code in codes):
            return ()
        columns = tuple(dict.fromkeys(code_column(code) for code in codes))
        if all(inputs[name].shape[0] == 1 for name in columns):
            return ()
        number = math.prod(self._bucket_values.get(n, math.inf) for n in columns)
        return columns if number <= _MOST_CODES else ()


def _distinct(
    inputs: Tensors, columns: Sequence[str], bucket_values: Mapping[str, int]
) -> tuple[Tensors, tf.Tensor | None]:
    """Some columns with an entry for each combination of their buckets.

    Args:
        inputs: Transformed tensors, [batch] or [1] those of the columns.
        columns: Names of buckets; of none the inputs are returned as they are.
        bucket_values: How many values each takes.

    Returns:
        The columns, [combinations], and which combination each example has, [batch].
    """
    if not columns:
        return inputs, None
    sizes = [bucket_values[name] for name in columns]
    entries = np.indices(sizes).reshape(len(sizes), -1)
    rows = tf.constant(0, tf.int64)
    for name, size in zip(columns, sizes, strict=True):  # the last runs fastest
        rows = rows * size + tf.cast(inputs[name], tf.int64)
    return dict(zip(columns, map(tf.constant, entries), strict=True)), rows


def _join(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Side by side; parts of a shared user, batch 1, are repeated beside others."""
    if len(parts) == 1:
        return parts[0]
    rows = tf.reduce_max(tf.stack([tf.shape(part)[0] for part in parts]))
    return tf.concat(
        [tf.broadcast_to(part, [rows, part.shape[-1]]) for part in parts], axis=-1
    )
