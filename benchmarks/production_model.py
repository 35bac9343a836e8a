"""A model of the size and the proportions of the paper's production model (Table 1)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

import poso_keras
from benchmarks.production_shape import (
    BOTTOM_UNITS,
    CODE,
    EXPERT_UNITS,
    EXPERTS,
    FEATURES,
    HEADS,
    KEY_DIM,
    LENGTH,
    MODULES,
    SEQUENCES,
    TASKS,
    TOWER_UNITS,
    VIDEO,
)


class ProductionModel(tf_keras.Model):
    """Fig. 2 and 3 without embedding tables: inputs are embedded already.

    Args:
        personalized: whether MHA, MMoE and MLP are POSO; nothing else differs.
    """

    def __init__(self, personalized: bool) -> None:
        super().__init__()
        self.bottom = poso_keras.MLP(BOTTOM_UNITS)
        self.attentions = [_attention(personalized) for _ in range(SEQUENCES)]
        mixture = poso_keras.POSOMMoE if personalized else poso_keras.MMoE
        self.mixture = mixture(EXPERTS, EXPERT_UNITS, TASKS)
        tower = poso_keras.POSOMLP if personalized else poso_keras.MLP
        self.towers = [tower(TOWER_UNITS) for _ in range(TASKS)]
        self.logits = [tf_keras.layers.Dense(1) for _ in range(TASKS)]

    def call(
        self, code: tf.Tensor, features: tf.Tensor, *sequences: tf.Tensor
    ) -> list[tf.Tensor]:
        """Returns the logits [batch, 1] of each task.

        Args:
            code: [batch, CODE].
            features: [batch, FEATURES].
            sequences: SEQUENCES times [batch, LENGTH, VIDEO].
        """
        features = self.bottom(features)
        pooled = [
            attention(features, sequence, code)
            for attention, sequence in zip(self.attentions, sequences, strict=True)
        ]
        mixed = self.mixture(tf.concat([features, *pooled], axis=-1), code)
        parts = zip(self.logits, self.towers, mixed, strict=True)
        return [logit(tower(hidden, code)) for logit, tower, hidden in parts]

    def parts(self) -> dict[str, list[tuple[Any, list[tuple[int, ...]]]]]:
        """Returns the modules of each kind with the shapes of their inputs."""
        mixed = FEATURES + SEQUENCES * HEADS * KEY_DIM
        code, sequence = (CODE,), (LENGTH, VIDEO)
        return {
            "MLP": [(tower, [(EXPERT_UNITS[-1],), code]) for tower in self.towers],
            "MHA": [
                (attention, [(FEATURES,), sequence, code])
                for attention in self.attentions
            ],
            "MMoE": [(self.mixture, [(mixed,), code])],
        }


def _attention(personalized: bool) -> Any:
    if personalized:
        return poso_keras.POSOMultiHeadAttention(HEADS, KEY_DIM, MODULES)
    return poso_keras.SequenceAttention(HEADS, KEY_DIM)
