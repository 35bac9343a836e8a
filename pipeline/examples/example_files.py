"""The serialized examples of a split, read in batches and never all at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np
import tensorflow as tf

from preprocessing.engine.cores import usable_cores

_BATCH = 2048
_READ_BYTES = 1 << 20  # of a compressed file at a time


def split_files(split_dir: str) -> list[str]:
    """The gzipped TFRecord files of a split, sorted.

    Raises:
        ValueError: There are none.
    """
    files = sorted(tf.io.gfile.glob(os.path.join(split_dir, "*.gz")))
    if not files:
        raise ValueError(f"no example files in {split_dir}")
    return files


def read_files(paths: str | tf.Tensor | Sequence[str]) -> tf.data.Dataset:
    """The serialized examples of one file, or of some one after the other."""
    return tf.data.TFRecordDataset(
        paths, compression_type="GZIP", buffer_size=_READ_BYTES
    )


def file_batches(path: str | tf.Tensor, batch_size: int = _BATCH) -> tf.data.Dataset:
    """The serialized examples of one file, [batch] strings at a time, in order."""
    return read_files(path).batch(batch_size)


_AHEAD = 2


def serialized_batches(split_dir: str, batch_size: int = _BATCH) -> Iterator[tf.Tensor]:
    """The serialized examples of a split, [batch] strings at a time.

    Args:
        split_dir: Folder of the split's gzipped TFRecord files.
        batch_size: Examples per batch; the last batch may have fewer.

    Raises:
        ValueError: The folder has no example files.
    """
    examples = read_files(split_files(split_dir))
    yield from examples.batch(batch_size).prefetch(_AHEAD)  # unpacked while one is used


def batches_in_any_order(
    split_dir: str, make: Callable[[tf.Tensor], Any], batch_size: int
) -> tf.data.Dataset:
    """What a function makes of each batch of a split; for sums, which no order changes.

    Files are read, and batches worked on, side by side.

    Args:
        split_dir: Folder of the split's gzipped TFRecord files.
        make: Operations of TensorFlow's on serialized examples, string [batch].
        batch_size: Examples per batch, at most.
    """
    return (
        tf.data.Dataset.from_tensor_slices(split_files(split_dir))
        .interleave(
            lambda path: file_batches(path, batch_size),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=False,
        )
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
        .prefetch(1)
    )


def sample_examples(
    split_dir: str, count: int, seed: int, batch_size: int = _BATCH
) -> list[bytes]:
    """The sample of `draw_examples` alone."""
    return draw_examples(split_dir, count, seed, batch_size)[0]


def draw_examples(
    split_dir: str, count: int, seed: int, batch_size: int = _BATCH
) -> tuple[list[bytes], int]:
    """Serialized examples drawn at random, the same ones each time.

    Each example draws a number, and those with the smallest numbers are kept. So one
    pass is enough, not many more than `count` examples are held, and the sample depends
    neither on the batches nor on which file is read when.

    Args:
        split_dir: A split of raw examples.
        count: Examples to draw; all of them where the split has fewer.
        seed: Of the draw.
        batch_size: Examples to read at a time.

    Returns:
        The sample, in random order, and how many examples the split has.
    """
    drawn = _SmallestNumbers(count)

    def read(place: int, path: str) -> int:
        random = np.random.default_rng([seed, place])
        read = 0
        for batch in file_batches(path, batch_size):
            drawn.add(random.random(len(batch)), batch)
            read += len(batch)
        return read

    files = split_files(split_dir)
    with ThreadPoolExecutor(min(len(files), usable_cores())) as threads:
        total = sum(threads.map(read, range(len(files)), files))
    return drawn.examples(), total


class _SmallestNumbers:
    """The examples that drew the smallest numbers; threads may add to it."""

    def __init__(self, count: int):
        self._count = count
        self._limit = np.inf
        self._numbers = np.empty(0)
        self._examples = np.empty(0, object)
        self._lock = Lock()

    def add(self, numbers: np.ndarray, examples: tf.Tensor) -> None:
        """Numbers [batch] that serialized examples [batch] have drawn."""
        places = np.flatnonzero(numbers < self._limit)
        chosen = tf.gather(examples, places).numpy()
        with self._lock:
            self._numbers = np.concatenate([self._numbers, numbers[places]])
            self._examples = np.concatenate([self._examples, chosen])
            if len(self._numbers) > 2 * self._count:
                self._drop()
                self._limit = self._numbers[-1]

    def examples(self) -> list[bytes]:
        """The examples in the order of their numbers."""
        self._drop()
        return self._examples.tolist()

    def _drop(self) -> None:
        smallest = np.argsort(self._numbers)[: self._count]
        self._numbers = self._numbers[smallest]
        self._examples = self._examples[smallest]


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
