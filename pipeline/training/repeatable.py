"""What makes two trainings the same, bit for bit on one device."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from pipeline.config import FitConfig


def make_repeatable(training: FitConfig) -> None:
    """Seeds this process, before a model is built.

    Dropout's random numbers then come from generators whose state is in a checkpoint
    (Keras' older ones are hidden in the operations), so that a training that goes on
    drops what it would have dropped.
    """
    tf_keras.utils.set_random_seed(training.seed)
    tf_keras.backend.experimental.enable_tf_random_generator()
    if training.deterministic:
        tf.config.experimental.enable_op_determinism()
