"""Optimizers by configuration."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from tf_keras.optimizers.schedules import LearningRateSchedule as Schedule

from pipeline.config import FitConfig
from pipeline.training.optimizers.composite_optimizer import CompositeOptimizer
from pipeline.training.optimizers.lazy_adam import LazyAdam

_KINDS = {
    "adam": tf_keras.optimizers.Adam,
    "lazy_adam": LazyAdam,
    "adagrad": tf_keras.optimizers.Adagrad,
    "clippy_adagrad": tfrs.experimental.optimizers.ClippyAdagrad,
}


def build_optimizer(
    training: FitConfig,
    model: tf_keras.Model,
    learning_rate: float | Schedule | None = None,
) -> CompositeOptimizer:
    """The optimizer that a configuration asks for, with its learning rates.

    Args:
        training: The settings.
        model: What is trained; its embedding tables have an optimizer of their own.
        learning_rate: In place of `training.learning_rate`, from which the tables'
            rate keeps its distance: it is multiplied by the same factor.
    """
    rate = training.learning_rate if learning_rate is None else learning_rate
    tables = training.embedding_optimizer
    factor = (tables.learning_rate or training.learning_rate) / training.learning_rate
    return CompositeOptimizer(
        _KINDS[training.optimizer](learning_rate=rate),
        _KINDS[tables.name](learning_rate=_scaled(rate, factor)),
        model,
        training.clip_norm,
    )


def create_optimizer_variables(model: tf_keras.Model) -> None:
    """Makes the variables of a compiled model's optimizer, before the first step."""
    composite_optimizer(model).build(model.trainable_variables)


def composite_optimizer(model: tf_keras.Model) -> CompositeOptimizer:
    """The optimizer of a compiled model, without what scales its loss."""
    # Under mixed_float16 Keras has put the optimizer into a LossScaleOptimizer.
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def _scaled(rate: float | Schedule, factor: float) -> float | Schedule:
    if isinstance(rate, Schedule):
        return rate if factor == 1 else ScaledSchedule(rate, factor)
    return rate * factor


class ScaledSchedule(Schedule):
    """A schedule whose rates are all multiplied.

    Args:
        schedule: The schedule.
        factor: What its rates are multiplied by.
    """

    def __init__(self, schedule: Schedule, factor: float):
        super().__init__()
        self._schedule, self._factor = schedule, factor

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The rate of a step."""
        return self._factor * self._schedule(step)
