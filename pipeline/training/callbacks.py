"""What happens beside the steps of a training: GAUC and progress."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from pipeline.config import TrainerPart
from pipeline.training.epoch_report import EpochReport
from poso_keras import GAUC
from preprocessing.contract.column_names import UNKNOWN_LABEL
from preprocessing.transform.input_specs import USER_KEY


def training_callbacks(
    config: TrainerPart, evaluation: tf.data.Dataset, *, name: str
) -> list[tf_keras.callbacks.Callback]:
    """The callbacks of a training, in the order in which they run.

    Args:
        config: What training reads of the configuration.
        evaluation: Batches of the evaluation split, in a fixed order.
        name: What is being trained, for the lines of progress.
    """
    return [
        GAUC(
            _with_labels(evaluation, config.task_names),
            user_ids=USER_KEY,
            unknown_label=UNKNOWN_LABEL,
        ),
        EpochReport(config.task_names, config.training.epochs, name),
    ]


def _with_labels(batches: tf.data.Dataset, tasks: tuple[str, ...]) -> tf.data.Dataset:
    """Batches as pairs of all tensors and the tasks' labels."""
    return batches.map(lambda batch: (batch, {task: batch[task] for task in tasks}))
