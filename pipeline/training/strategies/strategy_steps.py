"""The steps and the evaluation of a training, by its model's strategy."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.loop.evaluation import Evaluation
from pipeline.training.loop.finite_losses import FiniteLosses
from pipeline.training.loop.steps import InSyncSteps, Steps
from pipeline.training.strategies.coordinator_evaluation import CoordinatorEvaluation
from pipeline.training.strategies.coordinator_steps import CoordinatorSteps
from pipeline.training.strategies.workers import WorkersSteps, is_of_workers


def build_steps(
    model: RankingModel,
    reader: EpochReader,
    finite: FiniteLosses,
    evaluation: tf.data.Dataset,
) -> tuple[Steps, Callable[[], dict[str, float]]]:
    """What takes the steps of a model's training, and what evaluates it.

    Args:
        model: Compiled, its weights made in its strategy's scope.
        reader: The order of the training examples.
        finite: Is told of every step's losses and inputs.
        evaluation: Batches of the evaluation split.
    """
    strategy = model.distribute_strategy
    if isinstance(strategy, tf.distribute.ParameterServerStrategy):
        coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        return (
            CoordinatorSteps(model, reader, finite, coordinator),
            CoordinatorEvaluation(model, evaluation, coordinator),
        )
    kind = WorkersSteps if is_of_workers(strategy) else InSyncSteps
    return kind(model, reader, finite), Evaluation(model, evaluation)
