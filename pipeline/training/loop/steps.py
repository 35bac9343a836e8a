"""How a training's batches become steps: the part that depends on the strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.loop.finite_losses import FiniteLosses

Logs = Mapping[str, Any]

# What tfrs.Model.train_step returns beside the metrics: each replica's share of a sum.
LOSSES = ("loss", "regularization_loss", "total_loss")


class Steps(Protocol):
    """Takes the steps of an epoch, one for each global batch."""

    def batches(self, epoch: int, done: int) -> Iterator[Any]:
        """The global batches of an epoch, without the first `done`."""

    def run(self, batch: Any) -> Logs:
        """Begins the step of one batch and returns its losses, which may be to come."""

    def join(self) -> None:
        """Waits until every step that was begun is done."""

    def agreed(self, *wishes: bool) -> tuple[bool, ...]:
        """What is to be done after a step, of what this process wishes to do."""


class InSyncSteps:
    """Steps that all replicas take together: one device, mirrored, workers, TPU.

    A global batch is split over the replicas in equal shares, as they lie; each takes
    the model's own `train_step`, and the gradients are added up.

    Args:
        model: Compiled, its weights made.
        reader: The order of the examples.
        finite: Is told of every step's losses and inputs.
    """

    def __init__(self, model: RankingModel, reader: EpochReader, finite: FiniteLosses):
        self._model = model
        self._reader = reader
        self._finite = finite
        self._strategy = model.distribute_strategy
        self._step: Callable[[Any], Logs] | None = None

    def batches(self, epoch: int, done: int) -> Iterator[Any]:
        """The batches of an epoch from number `done` on."""
        data = self._data(epoch, done)
        if self._step is None:
            # Without the signature a last, smaller batch is another trace.
            self._step = tf.function(
                self._global_step, input_signature=[data.element_spec], autograph=False
            )
        return iter(data)

    def run(self, batch: Any) -> Logs:
        """Takes a step; the losses are tensors, read by who needs them."""
        if self._step is None:
            raise RuntimeError("`run` takes what `batches` gave, which was not called")
        return self._step(batch)

    def join(self) -> None:
        """Nothing to wait for: a step is over, or the next one waits for it."""

    def agreed(self, *wishes: bool) -> tuple[bool, ...]:
        """What is wished: there is nobody to agree with."""
        return wishes

    def _data(self, epoch: int, done: int) -> Any:
        replicas = self._strategy.num_replicas_in_sync
        if replicas == 1:
            return self._reader.batches(epoch, done)

        def local(context: tf.distribute.InputContext) -> tf.data.Dataset:
            here = replicas // context.num_input_pipelines
            first = here * context.input_pipeline_id
            return self._reader.shares(
                epoch, done, range(first, first + here), replicas
            )

        return self._strategy.distribute_datasets_from_function(local)

    def _global_step(self, batch: Any) -> Logs:
        logs, bad = self._strategy.run(self._replica_step, args=(batch,))
        self._finite.note(self._strategy.reduce("SUM", bad, axis=None))
        return {
            name: self._strategy.reduce("SUM", value, axis=None)
            if name in LOSSES
            else self._strategy.experimental_local_results(value)[0]
            for name, value in logs.items()
        }

    def _replica_step(self, batch: Mapping[str, tf.Tensor]) -> tuple[Logs, tf.Tensor]:
        logs = self._model.train_step(batch)
        self._model._train_counter.assign_add(1)  # TensorBoard's own step
        return logs, self._finite.bad(batch, logs)
