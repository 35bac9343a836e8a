"""The metrics of the evaluation split under parameter servers."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel


class CoordinatorEvaluation:
    """Evaluates the model that is trained; each batch is seen once, by one worker.

    Args:
        model: Compiled, its weights made, on the servers.
        batches: Of the evaluation split.
        coordinator: Hands them out.
    """

    def __init__(
        self,
        model: RankingModel,
        batches: tf.data.Dataset,
        coordinator: tf.distribute.coordinator.ClusterCoordinator,
    ):
        self._model = model
        self._batches = batches
        self._coordinator = coordinator
        self._strategy = model.distribute_strategy
        self._step = tf.function(
            self._worker_step, input_signature=[batches.element_spec], autograph=False
        )

    def __call__(self) -> dict[str, float]:
        """The model's metrics by name, added up on the servers."""
        self._model.reset_metrics()
        for batch in self._batches:
            self._coordinator.schedule(self._step, args=(batch,))
        self._coordinator.join()
        return {metric.name: float(metric.result()) for metric in self._model.metrics}

    def _worker_step(self, batch: Mapping[str, tf.Tensor]) -> None:
        self._strategy.run(self._model.test_step, args=(batch,))
