"""The trainer's steps under a strategy, on one batch that stays in memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from benchmarks.interleaved import Block
from benchmarks.kuairand_shape import RandomExamples, new_model, training_config
from pipeline.model.shares import share
from pipeline.training.loop.finite_losses import FiniteLosses
from pipeline.training.loop.steps import Steps
from pipeline.training.strategies.build import build_strategy
from pipeline.training.strategies.strategy_steps import build_steps


class MemoryReader:
    """In place of an `EpochReader`: the same batch again and again.

    Args:
        batch: Tensors [batch, ...].
    """

    def __init__(self, batch: Mapping[str, tf.Tensor]):
        self._batch = dict(batch)

    def batches(self, epoch: int, done: int) -> tf.data.Dataset:
        """The batch, without end."""
        return tf.data.Dataset.from_tensors(self._batch).repeat()

    def shares(
        self, epoch: int, done: int, replicas: range, num_replicas: int
    ) -> tf.data.Dataset:
        """Some replicas' shares of it in turn, without end."""
        shares = [share(self._batch, replica, num_replicas) for replica in replicas]
        # Shapes that do not depend on the replica, as those of an `EpochReader`.
        data = tf.data.Dataset.from_tensors(shares[0])
        for more in shares[1:]:
            data = data.concatenate(tf.data.Dataset.from_tensors(more))
        return data.repeat()


def steps_in_memory(kind: str, threads: int, rows: int) -> Block:
    """A block of steps; call it before anything else has started TensorFlow.

    Args:
        kind: The strategy; `mirrored` splits the CPU in two.
        threads: TensorFlow's.
        rows: Of the batch, over all replicas.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    settings = [f"training.strategy.kind={kind}", f"training.batch_size={rows}"]
    if kind == "mirrored":
        settings.append("training.strategy.replicas=2")
    config = training_config(*settings)
    strategy = build_strategy(config.training.strategy)
    batch = RandomExamples(config).batch(rows)
    floating = [name for name, value in batch.items() if value.dtype.is_floating]
    with strategy.scope():
        model = new_model(config, batch)
        finite = FiniteLosses(model, config.task_names, floating)
    reader: Any = MemoryReader(batch)
    evaluation = tf.data.Dataset.from_tensors(batch)
    steps, _ = build_steps(model, reader, finite, evaluation)
    return steps_block(steps, steps.batches(0, 0))


def steps_block(steps: Steps, batches: Iterator[Any]) -> Block:
    """A block of steps, whose time ends with the last one's loss.

    Args:
        steps: Take them.
        batches: As `Steps.batches` gives them; they go on from block to block.
    """

    def block(count: int) -> float:
        start = time.perf_counter()
        losses: Any = None
        for batch in itertools.islice(batches, count):
            losses = steps.run(batch)
        float(losses["loss"])
        return time.perf_counter() - start

    return block
