"""MMoE: stacked experts against a loop of Dense layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

import poso_keras
from benchmarks.command import Options, benchmark_command
from benchmarks.contestant import Contestant, check_equal
from benchmarks.environment import use_threads
from benchmarks.expert_loop import ExpertLoop
from benchmarks.interleaved import calls, measure
from benchmarks.report import Row, milliseconds

BATCH, EXPERTS, TASKS, CODE = 256, 8, 4, 16
# Width of the input, widths of an expert's layers; the last is the library's default.
WIDTHS = ((64, (64, 32)), (128, (128, 64)), (256, (256, 128)))
TARGET = 1.5


def measure_experts(options: Options) -> tuple[str, list[Row], list[str]]:
    """Stacked experts against a loop of Keras Dense layers: batch 256, 8 experts.

    Both have the same weights and give the same outputs. A train step is forward,
    backward (to the inputs as well) and Adam.
    """
    use_threads(options.threads)
    rows = []
    for width, units in WIDTHS:
        rows += _timed_rows(poso_keras.MMoE, width, units, options)
        rows += _timed_rows(poso_keras.POSOMMoE, width, units, options)
    notes = [
        "ratio: loop / stacked, which have the same operations to do; the loop only "
        "starts more of them, so what is gained falls with the widths.",
    ]
    title = f"MMoE, loop / stacked: batch {BATCH}, {EXPERTS} experts, {TASKS} tasks"
    return title, rows, notes


def _timed_rows(
    kind: Any, width: int, units: tuple[int, ...], options: Options
) -> list[Row]:
    made = _contestants(kind, width, units, options)
    check_equal(made["stacked"].forward(), made["loop"].forward())
    check_equal(made["stacked"].gradients()[-1:], made["loop"].gradients()[-1:])
    rows = []
    for work in ("forward", "train"):
        rounds = measure(
            {name: calls(getattr(c, work)) for name, c in made.items()},
            options.repeats,
            max_s=15,
        )
        label = "train step" if work == "train" else work
        layers = " x ".join(map(str, (width, *units)))
        values = {name: milliseconds(rounds.time(name).median) for name in made}
        ratio = rounds.ratio("loop", "stacked")
        rows.append(
            Row(f"{kind.__name__} {layers}, {label}", ratio, TARGET, values=values)
        )
    return rows


def _contestants(
    kind: Any, width: int, units: tuple[int, ...], options: Options
) -> dict[str, Contestant]:
    tf_keras.utils.set_random_seed(7)
    rng = np.random.default_rng(width)
    code, inputs = (
        tf.constant(rng.normal(size=(BATCH, size)), tf.float32)
        for size in (CODE, width)
    )
    stacked = kind(EXPERTS, units, TASKS)
    stacked(inputs, code)
    loop = ExpertLoop(stacked)
    loop(inputs, code)
    loop.copy_weights(stacked)
    return {
        name: Contestant(
            lambda code, x, layer=layer: layer(x, code),
            (code, inputs),
            layer.trainable_weights,
            jit=options.jit,
        )
        for name, layer in (("stacked", stacked), ("loop", loop))
    }


main = benchmark_command(measure_experts)

if __name__ == "__main__":
    main()
