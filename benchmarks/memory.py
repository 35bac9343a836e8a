"""The memory that work needs at its peak, as TensorFlow's allocator counts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_DEVICE = "CPU:0"


def peak_bytes(work: Callable[[], Any]) -> int | None:
    """Returns the bytes of live tensors at the peak of a call, over those before.

    The allocator counts exactly, while resident memory would hold what it keeps of
    earlier work. None where it does not count: on a CPU it does with oneDNN alone.
    """
    work()  # traces
    try:
        tf.config.experimental.reset_memory_stats(_DEVICE)
    except (ValueError, tf.errors.OpError):
        return None
    before = tf.config.experimental.get_memory_info(_DEVICE)["current"]
    work()
    return int(tf.config.experimental.get_memory_info(_DEVICE)["peak"]) - int(before)
