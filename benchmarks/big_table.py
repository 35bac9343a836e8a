"""A table of 10 million rows: its memory, and a step beside one of 10 thousand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np

SMALL, LARGE = 10_000, 10_000_000
TABLE = "video_id"
_GIGA = 1e9


def peak_gb() -> float:
    """Resident memory of this process at its peak, in GB."""
    with open("/proc/self/status", encoding="utf-8") as status:
        [line] = [text for text in status if text.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / _GIGA


def train_step(rows: int, optimizer: str) -> Callable[[], object]:
    """A step of the KuaiRand model with so many rows in the table of videos.

    Args:
        rows: Rows of the table; ids are uniform over them, as no log's are: most of
            the 127,000 look-ups of a batch find a row of their own.
        optimizer: Name of the tables' optimizer.
    """
    import tensorflow as tf

    from benchmarks.kuairand_shape import (
        ROWS,
        RandomExamples,
        new_model,
        training_config,
    )

    config = training_config(f"training.embedding_optimizer.name={optimizer}")
    tables = {**ROWS, TABLE: rows}
    batch = RandomExamples(config, tables).batch()
    model = new_model(config, batch, tables)
    step = tf.function(model.train_step, autograph=False)
    return lambda: step(batch)["loss"].numpy()


def measure_here(rows: int, optimizer: str, steps: int) -> dict[str, Any]:
    """Memory and seconds of a step of one model, in this process."""
    step = train_step(rows, optimizer)
    made = peak_gb()
    step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return {"made": made, "peak": peak_gb(), "seconds": float(np.median(seconds))}


def measure_apart(rows: int, optimizer: str, steps: int) -> dict[str, Any]:
    """The same in a process of its own, so that no earlier peak counts."""
    command = [sys.executable, "-m", "benchmarks.big_table", "--rows", str(rows)]
    command += ["--optimizer", optimizer, "--steps", str(steps)]
    run = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(run.stdout.splitlines()[-1])


@click.command()
@click.option("--rows", default=LARGE, show_default=True)
@click.option("--optimizer", default="lazy_adam", show_default=True)
@click.option("--steps", default=5, show_default=True)
def main(rows: int, optimizer: str, steps: int) -> None:
    """Prints one model's memory and step time as JSON; `benchmarks.training` asks."""
    click.echo(json.dumps(measure_here(rows, optimizer, steps)))


if __name__ == "__main__":
    main()
