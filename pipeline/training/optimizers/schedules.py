"""Learning rates that rise, and then fall, by the step of the optimizer."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from pipeline.config import ScheduleConfig


def learning_rate(
    settings: ScheduleConfig, peak: float, steps: int | None = None
) -> float | tf_keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate that a configuration asks for.

    Args:
        settings: Warm-up and decay.
        peak: The rate between the two, and without them.
        steps: Steps of the whole training; needed where `settings.needs_steps`.

    Returns:
        A schedule, or a number where the rate never changes.

    Raises:
        ValueError: The steps are needed and not known, there are none, or the warm-up
            takes so many of them that the rate does not get where it should.
    """
    if settings.needs_steps and steps is None:
        raise ValueError("`steps` must be given for this schedule. Received: None")
    if steps == 0:
        raise ValueError(
            "there is nothing to train on: the training split has fewer examples than "
            "a batch (training.batch_size)"
        )
    total = steps or 0
    warmup = settings.warmup_steps or round(settings.warmup_share * total)
    _check_warmup(settings, warmup, total)
    rate = _decay(settings, peak, total - warmup)
    return WarmUp(rate, warmup) if warmup else rate


def _check_warmup(settings: ScheduleConfig, warmup: int, total: int) -> None:
    decays = settings.decay != "constant"
    most = total - 1 if decays else total
    if warmup <= most:
        return
    name = "warmup_steps" if settings.warmup_steps else "warmup_share"
    why = (
        "no step is left for the decay" if decays else "the rate never reaches its peak"
    )
    raise ValueError(
        f"training.schedule.{name} makes a warm-up of {warmup} steps in a training of "
        f"{total}, in which {why}: at most {most} can be taken. "
        f"Received: {getattr(settings, name)}"
    )


def _decay(
    settings: ScheduleConfig, peak: float, steps: int
) -> float | tf_keras.optimizers.schedules.LearningRateSchedule:
    kinds = tf_keras.optimizers.schedules
    if settings.decay == "cosine":
        return kinds.CosineDecay(peak, steps, alpha=settings.final_share)
    if settings.decay == "linear":
        return kinds.PolynomialDecay(peak, steps, peak * settings.final_share)
    if settings.decay == "exponential":
        return kinds.ExponentialDecay(peak, steps, settings.final_share)
    return peak


class WarmUp(tf_keras.optimizers.schedules.LearningRateSchedule):
    """A rise from 0 in equal steps, and then another schedule from its beginning.

    The first step's rate is one part of the rise and not 0, which would waste it.

    Args:
        then: A learning rate or a schedule.
        steps: Steps of the rise.
    """

    def __init__(self, then: Any, steps: int):
        super().__init__()
        self.then = then
        self.steps = steps

    def __call__(self, step: Any) -> tf.Tensor:
        """The rate of a step, counted from 0: float32."""
        step = tf.cast(step, tf.float32)
        after = tf.maximum(step - self.steps, 0.0)
        rate = self.then(after) if callable(self.then) else self.then
        share = tf.minimum((step + 1.0) / self.steps, 1.0)
        return tf.cast(rate, tf.float32) * share
