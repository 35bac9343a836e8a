"""The training examples in the order in which each epoch takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from pipeline.examples.example_files import read_files
from pipeline.training.input.batches import example_files

# Files that are read side by side, and records taken from one before the next.
_OPEN_FILES, _RECORDS_IN_A_ROW = 8, 256


class EpochReader:
    """The global batches of every epoch.

    The order is a function of the seed, the epoch and the files alone: not of the
    strategy, of what was read before, or of how fast. So a training that was stopped
    goes on with the very batch that comes next, and the replicas of a strategy share
    the batches that one device would take.

    Args:
        file_patterns: Gzipped TFRecord files of transformed examples.
        transform_output: Tells the tensors' names and shapes.
        batch_size: Examples per step, over all replicas.
        shuffle_buffer: Examples to mix at a time; twice as many are in memory.
        seed: Decides the order, with the epoch.
        drop_remainder: Whether to drop a last, smaller batch (TPUs need one size).

    Raises:
        ValueError: No file matches.
    """

    def __init__(
        self,
        file_patterns: Sequence[str],
        transform_output: tft.TFTransformOutput,
        batch_size: int,
        *,
        shuffle_buffer: int,
        seed: int,
        drop_remainder: bool = False,
    ):
        self._files = example_files(file_patterns)
        self._spec = transform_output.transformed_feature_spec()
        self._batch_size = batch_size
        self._shuffle_buffer = shuffle_buffer
        self._seed = seed
        self._drop_remainder = drop_remainder

    def serialized(self, epoch: int, done: int = 0) -> tf.data.Dataset:
        """The global batches of an epoch as serialized examples, string [batch].

        Args:
            epoch: Counted from 0.
            done: Batches to leave out: they are read, but not parsed.
        """
        random = np.random.default_rng([self._seed % (1 << 32), epoch])
        files = random.permutation(np.array(self._files, object))
        seed = int(random.integers(1 << 31))
        # Of single records, each of these would cost more than reading them does.
        return (
            tf.data.Dataset.from_tensor_slices(files.tolist())
            .interleave(
                lambda file: read_files(file).batch(_RECORDS_IN_A_ROW),
                cycle_length=min(len(files), _OPEN_FILES),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
            .rebatch(self._shuffle_buffer)
            .enumerate()
            .map(
                lambda block, examples: tf.random.experimental.stateless_shuffle(
                    examples, seed=[tf.constant(seed, tf.int64), block]
                )
            )
            .prefetch(1)
            .rebatch(self._batch_size, drop_remainder=self._drop_remainder)
            .skip(done)
        )

    def parse(self, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized examples [batch] as tensors [batch, ...], labels among them."""
        return tf.io.parse_example(serialized, self._spec)

    def batches(self, epoch: int, done: int = 0) -> tf.data.Dataset:
        """The global batches of an epoch, parsed."""
        return self._parsed(self.serialized(epoch, done))

    def shares(
        self, epoch: int, done: int, replicas: range, num_replicas: int
    ) -> tf.data.Dataset:
        """Some replicas' shares of each global batch, one element a replica, in turn.

        The shares of all replicas put together are the batch, in its order; a share
        may be empty where a batch holds fewer examples than there are replicas.

        Args:
            epoch: Counted from 0.
            done: Global batches to leave out.
            replicas: Which replicas, by number.
            num_replicas: All replicas there are.
        """
        static = self._drop_remainder and self._batch_size % num_replicas == 0
        length = self._batch_size // num_replicas if static else None

        def split(batch: tf.Tensor) -> tf.data.Dataset:
            size = tf.size(batch, tf.int64)

            def share(replica: tf.Tensor) -> tf.Tensor:
                start = size * replica // num_replicas
                end = size * (replica + 1) // num_replicas
                return tf.ensure_shape(batch[start:end], [length])

            return tf.data.Dataset.range(replicas.start, replicas.stop).map(share)

        return self._parsed(self.serialized(epoch, done).flat_map(split))

    def example(self) -> dict[str, tf.Tensor]:
        """One example as tensors [1, ...]: what a model builds its weights by.

        Raises:
            ValueError: The files hold none.
        """
        for serialized in read_files(self._files).take(1).batch(1):
            return self.parse(serialized)
        raise ValueError(f"there is nothing to train on: no example in {self._files}")

    def _parsed(self, serialized: tf.data.Dataset) -> tf.data.Dataset:
        return serialized.map(
            self.parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        ).prefetch(tf.data.AUTOTUNE)
