"""The learning rates of a step."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def learning_rates(optimizer: Any) -> dict[str, float]:
    """The learning rates that the last step took.

    Args:
        optimizer: A Keras optimizer; one that others are composed to; either of them
            wrapped for loss scaling.

    Returns:
        By the name of each optimizer, such as `adam`.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    parts = getattr(inner, "optimizers", None) or [inner]
    rates: dict[str, float] = {}
    for part in parts:
        rate = part.learning_rate
        if callable(rate):  # Keras' older optimizers give the schedule itself
            rate = rate(max(int(part.iterations.numpy()) - 1, 0))
        name = type(part).__name__.lower()
        rates[name if name not in rates else f"{name}_{len(rates)}"] = float(
            tf.convert_to_tensor(rate)
        )
    return rates
