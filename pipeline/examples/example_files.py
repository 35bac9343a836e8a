"""The serialized examples of a split, in batches."""

from __future__ import annotations

import os
from collections.abc import Iterator

import tensorflow as tf

_BATCH = 2048


def serialized_batches(split_dir: str, batch_size: int = _BATCH) -> Iterator[tf.Tensor]:
    """The serialized examples of a split, [batch] strings at a time."""
    files = sorted(tf.io.gfile.glob(os.path.join(split_dir, "*.gz")))
    if not files:
        raise ValueError(f"no example files in {split_dir}")
    yield from tf.data.TFRecordDataset(files, compression_type="GZIP").batch(batch_size)
