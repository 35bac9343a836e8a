"""A SavedModel's signature called in a loop as TensorFlow's guides do, for comparison.

In a process of its own, for a process has one set of TensorFlow's threads: here the
default ones. Reads nothing; prints the median seconds of a call.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

_SECONDS = 3.0


def plain_seconds(version_dir: Path, request_file: Path, candidates: int) -> float:
    """Median seconds of `rank` by `tf.saved_model.load(...).signatures["rank"]`."""
    command = [sys.executable, "-m", __name__, str(version_dir), str(request_file)]
    done = subprocess.run(
        [*command, str(candidates)], stdout=subprocess.PIPE, check=True, text=True
    )
    return float(done.stdout)


def main(version_dir: str, request_file: str, candidates: str) -> None:
    """Prints the median."""
    import tensorflow as tf

    loaded = tf.saved_model.load(version_dir)
    # Only now: the first session settles the process's threads.
    from benchmarks.serving_load.payloads import payloads
    from serving.server.models.saved_model import load_version

    version = load_version(version_dir, 1)
    inputs = payloads(Path(request_file), version, int(candidates)).rank.inputs
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    rank = loaded.signatures["rank"]
    for _ in range(50):
        rank(**tensors)
    times, end = [], time.perf_counter() + _SECONDS
    while (start := time.perf_counter()) < end:
        rank(**tensors)
        times.append(time.perf_counter() - start)
    print(statistics.median(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
