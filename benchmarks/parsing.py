"""Parsing a batch at once against parsing its examples one by one."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.interleaved import Block, measure
from benchmarks.kuairand_shape import BATCH, RandomExamples, training_config
from benchmarks.report import Row


def measure_parsing(repeats: int) -> Row:
    """The row of the ratio of examples a second.

    Raises:
        ValueError: The two do not give the same tensors.
    """
    made = RandomExamples(training_config())
    spec = made.transformed_feature_spec()
    examples = tf.data.Dataset.from_tensor_slices(made.serialized(BATCH))
    batched = (
        examples.repeat()
        .batch(BATCH)
        .map(
            lambda batch: tf.io.parse_example(batch, spec),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    )
    one_by_one = (
        examples.repeat()
        .map(
            lambda example: tf.io.parse_single_example(example, spec),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .batch(BATCH)
    )
    _check_same(next(iter(batched)), next(iter(one_by_one)))
    rounds = measure(
        {"batched": _block(batched), "one by one": _block(one_by_one)},
        repeats,
        block_s=1.0,
        max_s=60.0,
    )
    values = {
        name: f"{BATCH / rounds.time(name).median:,.0f}/s" for name in rounds.seconds
    }
    ratio = rounds.ratio("one by one", "batched")
    return Row("parsing, batched / one by one, rate", ratio, 8.0, True, values)


def _block(batches: tf.data.Dataset) -> Block:
    def block(count: int) -> float:
        # An iterator of its own, so that none works ahead while the other is timed.
        start = time.perf_counter()
        for _ in itertools.islice(batches, count):
            pass
        return time.perf_counter() - start

    return block


def _check_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name, value in one.items():
        if not np.array_equal(value, other[name]):
            raise ValueError(f"both must give the same `{name}`; they do not")
