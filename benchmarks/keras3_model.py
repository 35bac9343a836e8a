"""The production model on Keras 3, for any backend, with attention of three kinds."""

from __future__ import annotations

import math
from typing import Any

import keras

import poso_keras
from benchmarks.production_shape import (
    BOTTOM_UNITS,
    EXPERT_UNITS,
    EXPERTS,
    HEADS,
    KEY_DIM,
    MODULES,
    TASKS,
    TOWER_UNITS,
    input_shapes,
)

KINDS = ("plain", "POSO", "textbook")


class TextbookPOSOAttention(keras.layers.Layer):
    """Eq. 12 to 14 in their order: K and all N copies of V are projected along L."""

    def __init__(self) -> None:
        super().__init__()
        width = HEADS * KEY_DIM
        self.query = keras.layers.Dense(width, use_bias=False)
        self.key = keras.layers.Dense(width, use_bias=False)
        self.values = keras.layers.Dense(MODULES * width, use_bias=False)
        self.key_gate = poso_keras.PersonalizationGate(width)
        self.value_gate = poso_keras.PersonalizationGate(MODULES)

    def call(self, query: Any, value: Any, code: Any) -> Any:
        """Returns [batch, heads * key_dim]."""
        ops = keras.ops
        batch, length = ops.shape(value)[0], value.shape[1]
        q = ops.reshape(self.query(query), (batch, HEADS, KEY_DIM))
        k = self.key(value) * self.key_gate(code)[:, None, :]
        k = ops.reshape(k, (batch, length, HEADS, KEY_DIM))
        v = ops.reshape(self.values(value), (batch, length, MODULES, HEADS, KEY_DIM))
        v = ops.einsum("blnhd,bn->blhd", v, self.value_gate(code))
        scores = ops.einsum("bhd,blhd->bhl", q, k) / math.sqrt(KEY_DIM)
        pooled = ops.einsum("bhl,blhd->bhd", ops.softmax(scores), v)
        return ops.reshape(pooled, (batch, HEADS * KEY_DIM))


def production_model(kind: str) -> keras.Model:
    """A compiled model: plain, POSO, or POSO with the textbook's attention."""
    personalized = kind != "plain"
    inputs = [keras.Input(shape) for shape in input_shapes()]
    code, features, *sequences = inputs
    features = poso_keras.MLP(BOTTOM_UNITS)(features)
    pooled = [_attention(kind)(features, sequence, code) for sequence in sequences]
    joined = keras.layers.Concatenate()([features, *pooled])
    mixture = poso_keras.POSOMMoE if personalized else poso_keras.MMoE
    tower = poso_keras.POSOMLP if personalized else poso_keras.MLP
    mixed = mixture(EXPERTS, EXPERT_UNITS, TASKS)(joined, code)
    logits = [keras.layers.Dense(1)(tower(TOWER_UNITS)(part, code)) for part in mixed]
    model = keras.Model(inputs, keras.layers.Concatenate(dtype="float32")(logits))
    model.compile(keras.optimizers.Adam(1e-3), loss="mse", jit_compile=True)
    return model


def _attention(kind: str) -> Any:
    if kind == "plain":
        return poso_keras.SequenceAttention(HEADS, KEY_DIM)
    if kind == "textbook":
        return TextbookPOSOAttention()
    return poso_keras.POSOMultiHeadAttention(HEADS, KEY_DIM, MODULES)
