"""Transformed examples as batches: parsed a batch at a time, not one by one."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.examples.example_files import read_files


def read_batches(
    file_patterns: Sequence[str],
    transform_output: tft.TFTransformOutput,
    batch_size: int,
) -> tf.data.Dataset:
    """Batches of transformed tensors, labels among them, in the files' order.

    Args:
        file_patterns: Gzipped TFRecord files of transformed examples.
        transform_output: Tells the tensors' names and shapes.
        batch_size: Examples per batch; the last may be smaller.
    """
    spec = transform_output.transformed_feature_spec()
    return (
        tf.data.Dataset.from_tensor_slices(example_files(file_patterns))
        .flat_map(read_files)
        .batch(batch_size)
        .map(
            lambda batch: tf.io.parse_example(batch, spec),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .prefetch(tf.data.AUTOTUNE)
    )


def example_files(file_patterns: Sequence[str]) -> list[str]:
    """The files of some patterns, sorted.

    Raises:
        ValueError: There are none.
    """
    files = tf.io.gfile.glob(list(file_patterns))
    if not files:
        raise ValueError(f"no transformed examples match {list(file_patterns)}")
    return sorted(files)


def count_examples(file_patterns: Sequence[str]) -> int:
    """How many examples there are: read once, not parsed."""
    files = tf.data.Dataset.from_tensor_slices(example_files(file_patterns))
    counts = files.map(
        lambda path: (
            read_files(path)
            .batch(4096)
            .reduce(
                tf.constant(0, tf.int64),
                lambda count, batch: count + tf.size(batch, tf.int64),
            )
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return sum(int(count) for count in counts)
