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
        ValueError: The steps are needed and not known, or the warm-up takes all of
            them and leaves none to decay in.
    """
    if settings.needs_steps and steps is None:
        raise ValueError("`steps` must be given for this schedule. Received: None")
    total = steps or 0
    warmup = settings.warmup_steps or round(settings.warmup_share * total)
    if settings.decay != "constant" and warmup >= total:
        raise ValueError(
            "training.schedule.warmup_steps must be fewer than the steps of the whole "
            f"training, {total}. Received: {warmup}"
        )
    rate = _decay(settings, peak, total - warmup)
    return WarmUp(rate, warmup) if warmup else rate


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


@tf_keras.utils.register_keras_serializable(package="poso")
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

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        then = self.then
        if callable(then):
            then = tf_keras.optimizers.schedules.serialize(then)
        return {"then": then, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WarmUp:
        """Of what `get_config` returns."""
        then = config["then"]
        if isinstance(then, dict):
            then = tf_keras.optimizers.schedules.deserialize(then)
        return cls(then, config["steps"])
