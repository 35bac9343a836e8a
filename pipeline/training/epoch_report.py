"""A line of progress after each epoch of a training."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from pipeline.progress import report_progress
from poso_keras import gauc
from preprocessing.transform.input_specs import USER_KEY


class EpochReport(tf_keras.callbacks.Callback):
    """After each epoch: GAUC of every task on the evaluation split, and a line of log.

    Args:
        batches: The evaluation split, in a fixed order.
        tasks: Task names.
        epochs: Epochs in all, for the log.
        name: What is being trained, for the log.
    """

    def __init__(
        self, batches: tf.data.Dataset, tasks: tuple[str, ...], epochs: int, name: str
    ):
        super().__init__()
        self._batches = batches
        self._tasks = tasks
        self._epochs = epochs
        self._name = name

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds `val_<task>_gauc` to the epoch's logs."""
        logs = {} if logs is None else logs
        for task, value in self._gauc().items():
            logs[f"val_{task}_gauc"] = value
        shown = ", ".join(
            f"{task} {logs[f'val_{task}_gauc']:.4f}" for task in self._tasks
        )
        loss = logs.get("mean_loss", float("nan"))
        report_progress(
            f"{self._name}: epoch {epoch + 1}/{self._epochs}, loss {loss:.4f}, "
            f"GAUC {shown}"
        )

    def _gauc(self) -> dict[str, float]:
        users = np.concatenate([b[USER_KEY].numpy() for b in self._batches])
        predicted = self.model.predict(self._batches, verbose=0)
        values = {}
        for task in self._tasks:
            labels = np.concatenate([b[task].numpy() for b in self._batches])
            values[task] = gauc(labels, predicted[task], users).value
        return values
