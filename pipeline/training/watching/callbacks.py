"""What happens beside the steps of a training: GAUC, early stopping, progress, logs."""

from __future__ import annotations

import os

import tensorflow as tf
import tf_keras

from pipeline.config import TrainerPart
from pipeline.training.watching.early_stopping import StopAtBestGAUC
from pipeline.training.watching.epoch_report import EpochReport
from pipeline.training.watching.mlflow_run import MLflowRun
from pipeline.training.watching.step_report import StepReport
from pipeline.training.watching.tensorboard_files import TensorBoardFiles
from poso_keras import GAUC
from preprocessing.contract.column_names import (
    UNKNOWN_LABEL,
    USER_GROUP_INDEX,
    USER_GROUPS,
)
from preprocessing.transform.input_specs import USER_KEY

_ROWS_OF_GATES = 1024


def training_callbacks(
    config: TrainerPart,
    evaluation: tf.data.Dataset,
    *,
    name: str,
    checkpoint_dir: str,
    examples: int | None = None,
    is_chief: bool = True,
) -> list[tf_keras.callbacks.Callback]:
    """The callbacks of a training, in the order in which they run.

    Args:
        config: What training reads of the configuration.
        evaluation: Batches of the evaluation split, in a fixed order.
        name: What is being trained, for the lines of progress.
        checkpoint_dir: The folder of this training's checkpoints, and of no other's;
            the best weights and TensorBoard's files go there, too.
        examples: Examples of an epoch, where they are known.
        is_chief: Whether this process is the one that speaks and writes logs.
    """
    training = config.training
    callbacks: list[tf_keras.callbacks.Callback] = [
        GAUC(
            _with_labels(evaluation, config.task_names),
            user_ids=USER_KEY,
            unknown_label=UNKNOWN_LABEL,
            groups=USER_GROUP_INDEX,
            group_names=dict(enumerate(USER_GROUPS, start=1)),
        )
    ]
    if is_chief:
        callbacks += [
            EpochReport(config.task_names, training.epochs, name),
            StepReport(name, training.epochs, training.batch_size, examples),
        ]
    if training.early_stopping.task:
        weights = os.path.join(checkpoint_dir, "best_weights.npy")
        callbacks.append(
            StopAtBestGAUC(training.early_stopping, name, weights, is_chief)
        )
    if is_chief and training.tensorboard.enabled:
        callbacks.append(
            TensorBoardFiles(
                training.tensorboard,
                name,
                checkpoint_dir,
                training.batch_size,
                _first_rows(evaluation) if config.model.poso.any else None,
            )
        )
    if is_chief and training.mlflow.tracking_uri:
        identity = os.path.basename(checkpoint_dir.rstrip("/"))
        callbacks.append(MLflowRun(config, name, identity))
    return callbacks


def _with_labels(batches: tf.data.Dataset, tasks: tuple[str, ...]) -> tf.data.Dataset:
    """Batches as pairs of all tensors and the tasks' labels."""
    return batches.map(lambda batch: (batch, {task: batch[task] for task in tasks}))


def _first_rows(batches: tf.data.Dataset) -> dict[str, tf.Tensor]:
    batch = next(iter(batches))
    return {name: tensor[:_ROWS_OF_GATES] for name, tensor in batch.items()}
