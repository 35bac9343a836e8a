"""Optimizers by configuration."""

from __future__ import annotations

import tf_keras

from pipeline.config import FitConfig


def build_optimizer(training: FitConfig) -> tf_keras.optimizers.Optimizer:
    """The optimizer that a configuration asks for, with its learning rate."""
    kinds = {
        "adam": tf_keras.optimizers.Adam,
        "adagrad": tf_keras.optimizers.Adagrad,
    }
    return kinds[training.optimizer](
        learning_rate=training.learning_rate, global_clipnorm=training.clip_norm
    )
