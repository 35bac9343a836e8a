"""Ends a training whose GAUC no longer rises, with the weights of its best epoch."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from pipeline.config import EarlyStoppingConfig
from pipeline.progress import report_progress


class StopAtBestGAUC(tf_keras.callbacks.EarlyStopping):
    """Keras' early stopping, which goes on after a restart.

    The epochs before a restart are taken from the model's `History`, and the best
    weights lie in a file; in memory where it cannot be written. Where the GAUC is NaN
    (no user has both labels) nothing can be told: the training then takes all its
    epochs and keeps its last weights.

    Args:
        settings: Which GAUC decides, and how.
        name: What is being trained, for the lines of progress.
        file: Where the best weights lie: a path or URI, of this training alone.
        is_chief: Whether this process is the one that writes it, and whose weights
            are exported.
    """

    def __init__(
        self,
        settings: EarlyStoppingConfig,
        name: str,
        file: str,
        is_chief: bool = True,
    ):
        super().__init__(
            settings.monitor,
            mode="max",
            patience=settings.patience,
            min_delta=settings.min_delta,
        )
        self._name = name
        self._file = file
        self._unfinished = f"{file}.part"
        self._is_chief = is_chief
        self._epochs = 0
        self._unwritten: list[np.ndarray] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Sees again what the epochs before a restart logged."""
        super().on_train_begin(logs)
        self._epochs = 0
        for value in self.model.history.history.get(self.monitor, ()):
            self._see({self.monitor: value})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the weights of a best epoch; stops after too many without one."""
        value = (logs or {})[self.monitor]
        if math.isnan(value) and epoch == 0:
            report_progress(
                f"{self._name}: no early stopping: {self.monitor} is undefined, since "
                "no user in the evaluation split has both labels"
            )
        if self._see({self.monitor: value}):
            if self._is_chief:
                self._keep_weights()
        elif self.model.stop_training:
            report_progress(
                f"{self._name}: stopped early, {self.monitor} was best in epoch "
                f"{self.best_epoch + 1}: {self.best:.4f}"
            )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Goes back to the best epoch's weights."""
        if not self.best > -math.inf or self.best_epoch == self._epochs - 1:
            return
        if not self._is_chief:
            return
        if self._unwritten:
            self._assign(self._unwritten)
        elif not self._assign_file():
            report_progress(
                f"{self._name}: the weights of the best epoch, {self.best_epoch + 1}, "
                f"were lost in a restart ({self._file} could not be written): those of "
                "the last epoch are taken"
            )

    def _see(self, logs: dict[str, float]) -> bool:
        """Takes the next epoch's GAUC; whether it is the best so far."""
        epoch = self._epochs
        self._epochs += 1
        if math.isnan(logs[self.monitor]):
            return False
        before = self.best
        super().on_epoch_end(epoch, logs)
        return bool(self.best > before)

    def _keep_weights(self) -> None:
        """Writes the file; what cannot be written stays in memory."""
        self._unwritten = []
        try:
            self._write_weights()
        except (tf.errors.OpError, OSError) as error:
            self._unwritten = [v.numpy() for v in self.model.trainable_variables]
            with contextlib.suppress(tf.errors.OpError, OSError):
                tf.io.gfile.remove(self._unfinished)
            reason = str(error).strip().split("\n", 1)[0]
            report_progress(
                f"{self._name}: {self._file} cannot be written, so the best weights "
                f"are in memory alone and a restart loses them: {reason}"
            )

    def _write_weights(self) -> None:
        tf.io.gfile.makedirs(os.path.dirname(self._file))
        with tf.io.gfile.GFile(self._unfinished, "wb") as file:
            np.lib.format.write_array(file, np.array(self.best_epoch))
            for variable in self.model.trainable_variables:
                array = variable.numpy()
                np.lib.format.write_array(file, array, allow_pickle=False)
        tf.io.gfile.rename(self._unfinished, self._file, overwrite=True)

    def _assign_file(self) -> bool:
        """Takes the file's weights; False where they are not the best epoch's."""
        if not tf.io.gfile.exists(self._file):
            return False
        with tf.io.gfile.GFile(self._file, "rb") as file:
            if np.lib.format.read_array(file) != self.best_epoch:
                return False
            self._assign(
                np.lib.format.read_array(file, allow_pickle=False)
                for _ in self.model.trainable_variables
            )
        return True

    def _assign(self, weights: Iterable[np.ndarray]) -> None:
        for variable, array in zip(
            self.model.trainable_variables, weights, strict=True
        ):
            variable.assign(array)
