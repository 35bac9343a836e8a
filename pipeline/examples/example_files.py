"""The serialized examples of a split, read in batches and never all at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

_BATCH = 2048
_AHEAD = 2


def serialized_batches(split_dir: str, batch_size: int = _BATCH) -> Iterator[tf.Tensor]:
    """The serialized examples of a split, [batch] strings at a time.

    Args:
        split_dir: Folder of the split's gzipped TFRecord files.
        batch_size: Examples per batch; the last batch may have fewer.

    Raises:
        ValueError: The folder has no example files.
    """
    files = sorted(tf.io.gfile.glob(os.path.join(split_dir, "*.gz")))
    if not files:
        raise ValueError(f"no example files in {split_dir}")
    examples = tf.data.TFRecordDataset(files, compression_type="GZIP")
    yield from examples.batch(batch_size).prefetch(_AHEAD)  # unpacked while one is used


def sample_examples(
    split_dir: str, count: int, seed: int, batch_size: int = _BATCH
) -> list[bytes]:
    """Serialized examples drawn at random, the same ones each time.

    Each example draws a number, and those with the smallest numbers are kept. So one
    pass is enough, no more than `count` examples and a batch are held, and the sample
    does not depend on the batches.

    Args:
        split_dir: A split of raw examples.
        count: Examples to draw; all of them where the split has fewer.
        seed: Of the draw.
        batch_size: Examples to read at a time.

    Returns:
        The sample, in random order.
    """
    random = np.random.default_rng(seed)
    drawn: list[tuple[float, bytes]] = []
    for batch in serialized_batches(split_dir, batch_size):
        numbers = random.random(len(batch))
        places = np.argsort(numbers)[:count]
        chosen = tf.gather(batch, places).numpy()
        drawn += zip(numbers[places].tolist(), chosen, strict=True)
        drawn = sorted(drawn)[:count]
    return [example for _, example in drawn]


def take_examples(
    split_dir: str, places: Sequence[int], batch_size: int = _BATCH
) -> list[bytes]:
    """The serialized examples at some places of a split, in the order of the places.

    Args:
        split_dir: A split of raw examples.
        places: Numbers of examples, counted from 0 in the order of the files.
        batch_size: Examples to read at a time.

    Raises:
        IndexError: The split has no example at one of the places.
    """
    wanted = np.unique(np.asarray(places, np.int64))
    found: dict[int, bytes] = {}
    start = 0
    for batch in serialized_batches(split_dir, batch_size):
        if len(found) == len(wanted):
            break
        inside = wanted[(wanted >= start) & (wanted < start + len(batch))]
        examples = tf.gather(batch, inside - start).numpy()
        found.update(zip(inside.tolist(), examples, strict=True))
        start += len(batch)
    missing = [place for place in wanted.tolist() if place not in found]
    if missing:
        raise IndexError(f"{split_dir} has {start} examples. Received: {missing}")
    return [found[place] for place in places]
