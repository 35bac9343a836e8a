"""Transformed examples as batches: parsed a batch at a time, not one by one."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft


def read_batches(
    file_patterns: Sequence[str],
    transform_output: tft.TFTransformOutput,
    batch_size: int,
    *,
    shuffle_buffer: int = 0,
    seed: int | None = None,
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Batches of transformed tensors, labels among them.

    Args:
        file_patterns: Gzipped TFRecord files of transformed examples.
        transform_output: Tells the tensors' names and shapes.
        batch_size: Examples per batch.
        shuffle_buffer: Examples to mix at a time; 0 keeps the files' order.
        seed: Makes the mixing repeatable.
        drop_remainder: Whether to drop a last, smaller batch (TPUs need one size).
    """
    files = tf.io.gfile.glob(list(file_patterns))
    if not files:
        raise ValueError(f"no transformed examples match {list(file_patterns)}")
    examples = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    if shuffle_buffer:
        examples = examples.shuffle(shuffle_buffer, seed=seed)
    spec = transform_output.transformed_feature_spec()
    return (
        examples.batch(batch_size, drop_remainder=drop_remainder)
        .map(
            lambda batch: tf.io.parse_example(batch, spec),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .prefetch(tf.data.AUTOTUNE)
    )
