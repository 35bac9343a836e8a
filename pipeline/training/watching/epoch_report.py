"""A line of progress after each epoch of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tf_keras

from pipeline.progress import report_progress

_UNDEFINED = "undefined (no user has both labels)"


class EpochReport(tf_keras.callbacks.Callback):
    """Says after each epoch what the logs hold: the loss and every task's GAUC.

    A GAUC that is undefined is said to be. It stands after the callback that logs
    `val_<task>_gauc`.

    Args:
        tasks: Task names.
        epochs: Epochs in all.
        name: What is being trained.
    """

    def __init__(self, tasks: Sequence[str], epochs: int, name: str):
        super().__init__()
        self._tasks = tuple(tasks)
        self._epochs = epochs
        self._name = name

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reports one line of progress."""
        logs = logs or {}
        unknown = float("nan")
        gauc = ", ".join(
            f"{task} {_gauc_text(logs.get(f'val_{task}_gauc', unknown))}"
            for task in self._tasks
        )
        report_progress(
            f"{self._name}: epoch {epoch + 1}/{self._epochs}, "
            f"loss {logs.get('mean_loss', unknown):.4f}, GAUC {gauc}"
        )


def _gauc_text(value: float) -> str:
    return _UNDEFINED if math.isnan(value) else f"{value:.4f}"
