"""Codes among the inputs of the model, whether it has gates or not."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from pipeline.config import ModelConfig
from pipeline.model.code_encoders import code_column, code_encoder, encoder_name
from pipeline.model.embeddings import Tensors
from preprocessing.transform.input_specs import InputSpec


class InputCodes(tf_keras.layers.Layer):
    """Encoded buckets, scaled down to what embeddings are.

    Args:
        specs: The model's inputs.
        settings: Which codes, and their scale.

    Attributes:
        encoders: The layers that make the codes, by their names.
        columns: What they read, by the same names.
        of_video: Whether a code is the video's, not the user's; in the codes' order.
    """

    def __init__(self, specs: Sequence[InputSpec], settings: ModelConfig):
        super().__init__(name="input_codes")
        by_name = {spec.name: spec for spec in specs}
        codes = {encoder_name(code): code for code in settings.input_codes}
        self.columns = {name: code_column(code) for name, code in codes.items()}
        self.encoders = {
            name: code_encoder(code, by_name[self.columns[name]], {}, settings)
            for name, code in codes.items()
        }
        self.of_video = [
            by_name[column].side == "video" for column in self.columns.values()
        ]
        self._scale = settings.input_code_scale

    def call(self, inputs: Tensors) -> list[tf.Tensor]:
        """One [batch, width] tensor per code."""
        return [
            self._scale * encoder(inputs[self.columns[name]])
            for name, encoder in self.encoders.items()
        ]
