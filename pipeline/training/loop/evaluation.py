"""The metrics of the evaluation split, shared by all that train."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel
from pipeline.model.shares import share


class Evaluation:
    """Evaluates the model that is trained; each example is seen once, by one replica.

    Args:
        model: Compiled, its weights made.
        batches: Of the evaluation split.
    """

    def __init__(self, model: RankingModel, batches: tf.data.Dataset):
        self._model = model
        self._batches = batches
        self._strategy = model.distribute_strategy
        self._step: Callable[[object], object] | None = None

    def __call__(self) -> dict[str, float]:
        """The model's metrics by name. Every worker calls it: metrics are added up."""
        self._model.reset_metrics()
        data = shared(self._strategy, self._batches)
        if self._step is None:
            self._step = tf.function(
                self._replicas_step,
                input_signature=[data.element_spec],
                autograph=False,
            )
        for batch in data:
            self._step(batch)
        return {metric.name: float(metric.result()) for metric in self._model.metrics}

    def _replicas_step(self, batch: object) -> None:
        self._strategy.run(self._model.test_step, args=(batch,))


def shared(
    strategy: tf.distribute.Strategy, batches: tf.data.Dataset
) -> tf.distribute.DistributedDataset:
    """Batches of which each replica gets its share; each process reads them all."""
    replicas = strategy.num_replicas_in_sync

    def local(context: tf.distribute.InputContext) -> tf.data.Dataset:
        here = replicas // context.num_input_pipelines
        first = here * context.input_pipeline_id
        return batches.flat_map(
            lambda batch: tf.data.Dataset.range(first, first + here).map(
                lambda replica: share(batch, replica, replicas)
            )
        )

    return strategy.distribute_datasets_from_function(local)
