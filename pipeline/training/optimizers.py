"""Optimizers by configuration."""

from __future__ import annotations

from typing import Any

import tf_keras

from pipeline.config import FitConfig


def build_optimizer(
    training: FitConfig, learning_rate: Any = None
) -> tf_keras.optimizers.Optimizer:
    """The optimizer that a configuration asks for, with its learning rate.

    Args:
        training: The settings.
        learning_rate: A number or schedule in place of `training.learning_rate`.
    """
    rate = training.learning_rate if learning_rate is None else learning_rate
    kinds = {
        "adam": tf_keras.optimizers.Adam,
        "adagrad": tf_keras.optimizers.Adagrad,
    }
    return kinds[training.optimizer](
        learning_rate=rate, global_clipnorm=training.clip_norm
    )
