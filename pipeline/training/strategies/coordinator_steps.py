"""Steps under parameter servers: the coordinator hands out batches, workers compute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.loop.finite_losses import FiniteLosses

_BATCHES_PER_WORKER = 4  # handed out ahead; they wait in the coordinator's memory


class CoordinatorSteps:
    """Each worker takes a step of its own with a batch that the coordinator read.

    A batch travels as serialized examples and is parsed by the worker. So each example
    is taken once an epoch, the place in the data is the coordinator's own, and what a
    lost worker had in hand another one takes.

    Args:
        model: Compiled, its weights made, on the servers.
        reader: The order of the examples.
        finite: Is told of every step's losses and inputs; its state is on the servers.
        coordinator: Hands out the steps.
    """

    def __init__(
        self,
        model: RankingModel,
        reader: EpochReader,
        finite: FiniteLosses,
        coordinator: tf.distribute.coordinator.ClusterCoordinator,
    ):
        self._model = model
        self._reader = reader
        self._finite = finite
        self._coordinator = coordinator
        self._strategy = model.distribute_strategy
        workers = self._strategy.extended._num_workers
        self._ahead = _BATCHES_PER_WORKER * workers
        self._under_way: deque[Any] = deque()
        self._step: Callable[[tf.Tensor], Any] = tf.function(
            self._worker_step,
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
        )

    def batches(self, epoch: int, done: int) -> Iterator[tf.Tensor]:
        """The batches of an epoch from number `done` on, as serialized examples."""
        return iter(self._reader.serialized(epoch, done).prefetch(tf.data.AUTOTUNE))

    def run(self, batch: tf.Tensor) -> Any:
        """Hands a batch out; reading the logs waits for its step."""
        if len(self._under_way) >= self._ahead:
            self._under_way.popleft().get()
        value = self._coordinator.schedule(self._step, args=(batch,))
        self._under_way.append(value)
        return RemoteLogs(value)

    def join(self) -> None:
        """Waits until every batch that was handed out is done."""
        self._coordinator.join()
        self._under_way.clear()

    def agreed(self, *wishes: bool) -> tuple[bool, ...]:
        """What is wished: the coordinator alone decides."""
        return wishes

    def _worker_step(self, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._strategy.run(self._replica_step, args=(serialized,))

    def _replica_step(self, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = self._reader.parse(serialized)
        logs = self._model.train_step(batch)
        self._model._train_counter.assign_add(1)  # TensorBoard's own step
        self._finite.note(self._finite.bad(batch, logs))
        return logs


class RemoteLogs:
    """The losses and metrics of a step that may be under way.

    It is no `Mapping`: Keras would look into one after each step, and wait for it.

    Args:
        value: What the coordinator gave for it.
    """

    def __init__(self, value: Any):
        self._value = value

    def __getitem__(self, name: str) -> Any:
        """One of them, as NumPy has it; waits for the step."""
        return self._value.fetch()[name]
