"""What a figure depends on: the machine, the versions, the threads."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

PACKAGES = ("tensorflow", "tf_keras", "numpy", "scikit-learn")


def environment(threads: int, jit: bool) -> dict[str, Any]:
    """Returns the date, the machine, the versions and the threads, by name."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "jit": jit,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def use_threads(threads: int) -> None:
    """Sets TensorFlow's threads, within an operation and between; call it first."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it warns of each contestant's own tracing

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
