"""What the workers of one training do together, beside the steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from pipeline.training.loop.steps import InSyncSteps
from pipeline.training.loop.stop_signal import RESUME

_STEPS_BETWEEN_WISHES = 10
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError)


class LostWorkerError(RuntimeError):
    """Another worker is gone, and what it had added to every step with it."""


class WorkersSteps(InSyncSteps):
    """Steps of several processes: none leaves the others waiting in the middle."""

    _asked = 0

    def agreed(self, *wishes: bool) -> tuple[bool, ...]:
        """What any worker wishes, asked now and then; all call it after every step."""
        self._asked += 1
        if self._asked % _STEPS_BETWEEN_WISHES:
            return (False,) * len(wishes)
        total = add_up(self._strategy, tf.cast(wishes, tf.float32))
        return tuple(bool(value) for value in total.numpy() > 0)


@tf.function(reduce_retracing=True, autograph=False)
def add_up(strategy: tf.distribute.Strategy, value: tf.Tensor) -> tf.Tensor:
    """The sum of all replicas' values; every process gives its own."""

    def of_replica() -> tf.Tensor:
        mine = tf.identity(value)  # on this replica's device
        return tf.distribute.get_replica_context().all_reduce("SUM", mine)

    return strategy.experimental_local_results(strategy.run(of_replica))[0]


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Waits until every worker has come here: one that ends alone looks lost."""
    if is_of_workers(strategy):
        add_up(strategy, tf.zeros([]))


def check_same(strategy: tf.distribute.Strategy, identity: str) -> None:
    """Checks that all workers are about to train the same.

    Args:
        strategy: Of this process.
        identity: What is trained, as hexadecimal digits.

    Raises:
        ValueError: They are not.
    """
    if not is_of_workers(strategy):
        return
    # Of few bits, so that the sum over the replicas is exact.
    mine = int(identity[:4], 16)
    replicas = strategy.num_replicas_in_sync
    total = int(add_up(strategy, tf.constant(mine, tf.int64)))
    squares = int(add_up(strategy, tf.constant(mine * mine, tf.int64)))
    if (total, squares) != (replicas * mine, replicas * mine * mine):
        raise ValueError(
            "all workers must train the same configuration on the same data; some "
            "of this cluster's do not: start them for the same run"
        )


def is_of_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether several processes take each step together."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


@contextmanager
def lost_workers_named() -> Iterator[None]:
    """Says in a line what TensorFlow says in many when a worker is gone.

    It notices after about ten seconds without a sign of life.

    Raises:
        LostWorkerError: A worker is gone.
    """
    try:
        yield
    except _LOST as error:
        if "ollective" not in str(error) and "heartbeat" not in str(error):
            raise
        found = re.search(r"/job:(\w+)/(?:replica:\d+/)?task:(\d+)", str(error))
        name = f"{found[1]} {found[2]}" if found else "a worker"
        raise LostWorkerError(
            f"{name} is gone, and the training stops with it: {RESUME}"
        ) from error
