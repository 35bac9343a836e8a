"""POSO (MHA): the library's order of operations against the textbook's."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

import poso_keras
from benchmarks.command import Options, benchmark_command
from benchmarks.contestant import Contestant, check_equal
from benchmarks.environment import use_threads
from benchmarks.flops import count_flops
from benchmarks.interleaved import Rounds, calls, measure
from benchmarks.memory import peak_bytes
from benchmarks.report import Row, milliseconds, number_row
from benchmarks.textbook_attention import TextbookAttention

BATCH, WIDTH, HEADS, MODULES, CODE = 1024, 64, 4, 4, 16
# How many times faster at least, by length: forward, train step.
TARGETS = {30: (3.0, 4.0), 100: (6.0, 8.0), 200: (7.0, 9.0)}
TEXTBOOKS = ("einsums", "blocks")


def measure_attention(options: Options) -> tuple[str, list[Row], list[str]]:
    """Cheap against textbook order at batch 1024, width 64, 4 heads, 4 modules.

    Both have the same weights and give the same outputs and gradients. A train step
    is forward, backward (to the inputs as well) and Adam.
    """
    use_threads(options.threads)
    rows = []
    for length, targets in TARGETS.items():
        rows += _timed_rows(length, targets, options)
        rows += _flops_rows(length)
    notes = [
        "ratio: textbook / cheap. `einsums`: batched einsums over heads, as the "
        "formulas read. `blocks`: the fastest textbook order we found, by whole "
        "matrix products.",
        "FLOPs: TensorFlow's profiler on the frozen forward graph, plus Einsum, which "
        "it does not know.",
        "peak memory: live tensors at the peak of a call over those before it (inputs, "
        "weights), as TensorFlow's allocator counts them.",
    ]
    title = (
        f"POSO (MHA), textbook / cheap: batch {BATCH}, width {WIDTH}, {HEADS} heads, "
        f"N = {MODULES}"
    )
    return title, rows, notes


def _timed_rows(
    length: int, targets: tuple[float, float], options: Options
) -> list[Row]:
    *inputs, mask = _inputs(length)
    layers = {name: _layer(name, inputs, mask) for name in ("cheap", *TEXTBOOKS)}
    made = {
        name: Contestant(layer, inputs, weights, (mask,), options.jit)
        for name, (layer, weights) in layers.items()
    }
    for name in TEXTBOOKS:
        check_equal(made["cheap"].forward(), made[name].forward())
        check_equal(made["cheap"].gradients(), made[name].gradients())
    rows = []
    for index, kind in enumerate(("forward", "train")):
        rounds = measure(
            {name: calls(getattr(c, kind)) for name, c in made.items()},
            options.repeats,
            block_s=0.02,
            max_s=20,
        )
        label = "train step" if kind == "train" else kind
        rows += [
            _ratio_row(f"L {length}, {label}, {name}", rounds, name, targets[index])
            for name in TEXTBOOKS
        ]
        peaks = {name: peak_bytes(getattr(c, kind)) for name, c in made.items()}
        rows += _memory_rows(f"L {length}, peak memory, {label}", peaks)
    return rows


def _ratio_row(label: str, rounds: Rounds, textbook: str, target: float) -> Row:
    names = {"cheap": "cheap", "textbook": textbook}
    values = {k: milliseconds(rounds.time(name).median) for k, name in names.items()}
    return Row(label, rounds.ratio(textbook, "cheap"), target, values=values)


def _flops_rows(length: int) -> list[Row]:
    *inputs, mask = _inputs(length)
    counts = {
        name: count_flops(_layer(name, inputs, mask)[0], (*inputs, mask))
        for name in ("cheap", "einsums")
    }
    cheap, textbook = (count / BATCH / 1e3 for count in counts.values())
    values = {"cheap": f"{cheap:,.0f} k", "textbook": f"{textbook:,.0f} k"}
    return [
        number_row(
            f"L {length}, FLOPs a sample, forward", textbook / cheap, values=values
        )
    ]


def _memory_rows(label: str, peaks: dict[str, int | None]) -> list[Row]:
    """Against each textbook order, where the allocator counts."""
    cheap, rows = peaks["cheap"], []
    for name in TEXTBOOKS:
        textbook = peaks[name]
        if cheap and textbook:
            values = {
                "cheap": f"{cheap / 2**20:,.1f} MiB",
                "textbook": f"{textbook / 2**20:,.1f} MiB",
            }
            row = number_row(f"{label}, {name}", textbook / cheap, 1.0, values=values)
            rows.append(row)
    return rows


def _inputs(length: int) -> list[tf.Tensor]:
    """Query, sequence, code, and a mask of random lengths, 0 included."""
    rng = np.random.default_rng(length)
    shapes = ((BATCH, WIDTH), (BATCH, length, WIDTH), (BATCH, CODE))
    inputs = [tf.constant(rng.normal(size=shape), tf.float32) for shape in shapes]
    lengths = rng.integers(0, length + 1, size=(BATCH, 1))
    return [*inputs, tf.constant(np.arange(length) < lengths)]


def _layer(name: str, inputs: list[tf.Tensor], mask: tf.Tensor) -> tuple[Any, Any]:
    """A contestant with weights of its own, equal to every other's."""
    tf_keras.utils.set_random_seed(7)
    cheap = poso_keras.POSOMultiHeadAttention(HEADS, WIDTH // HEADS, MODULES)
    cheap(*inputs, mask)
    layer = cheap if name == "cheap" else TextbookAttention(cheap, name)
    return layer, cheap.trainable_weights


main = benchmark_command(measure_attention)

if __name__ == "__main__":
    main()
