"""What TensorBoard shows of a training."""

from __future__ import annotations

import importlib.util
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from pipeline.config import TensorBoardConfig
from pipeline.progress import report_progress
from pipeline.training.optimizers.learning_rates import learning_rates
from pipeline.training.watching.event_files import FOLDER, EventFiles, first_line
from poso_keras.diagnostics import gate_profile


class TensorBoardFiles(tf_keras.callbacks.Callback):
    """Losses, GAUC by task and group, learning rates, throughput, gates, a profile.

    The x axis is the optimizer's step, and the files lie beside the checkpoints, so
    that a training that is resumed continues its curves and one that fails leaves
    them; `keep_event_files` takes them to the model. Curves of the training and of the
    evaluation have one name and lie in `train` and `validation`, which TensorBoard
    draws over each other. Files that cannot be written end, and not the training.

    Args:
        settings: How often, and what to profile.
        name: What is being trained, for the line that says how to look.
        training_dir: A folder of this training alone; the files go below it.
        batch_size: Examples per step, over all replicas.
        gates_of: A batch of transformed tensors whose gates are shown; None for a
            model without.
        clock: Seconds, for the tests.
    """

    _supports_tf_logs = True  # Keras would read every step's losses otherwise

    def __init__(
        self,
        settings: TensorBoardConfig,
        name: str,
        training_dir: str,
        batch_size: int,
        gates_of: Mapping[str, tf.Tensor] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self._settings = settings
        self._name = name
        self._folder = os.path.join(training_dir, FOLDER)
        self._batch_size = batch_size
        self._gates_of = gates_of
        self._clock = clock
        self._step = 0
        self._measured: tuple[int, float] | None = None
        self._profiling = False
        self._writing = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Opens the files and says how to look at them."""
        self._step = int(self.model.optimizer.iterations.numpy())
        self._writing = True
        with self._worth_less_than_the_training():
            self._train = EventFiles(f"{self._folder}/train")
            self._validation = EventFiles(f"{self._folder}/validation")
            missing = importlib.util.find_spec("tensorboard") is None
            report_progress(
                f"{self._name}: tensorboard --logdir {self._folder}"
                + (" (after: pip install tensorboard)" if missing else "")
            )

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Measures the steps alone, not the evaluation between two epochs."""
        self._measured = None

    def on_train_batch_begin(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Starts the profile."""
        steps = self._settings.profile_steps
        if steps and self._writing and self._step + 1 == steps[0]:
            with self._worth_less_than_the_training():
                tf.profiler.experimental.start(f"{self._folder}/train")
                self._profiling = True

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Adds a point to the curves of the steps, every so many of them."""
        self._step += 1
        steps = self._settings.profile_steps
        if steps and self._profiling and self._step >= steps[1]:
            self._end_profile()
        if not self._writing or self._step % self._settings.every_steps:
            return
        points = {"loss": float((logs or {})["loss"]), **self._throughput()}
        for kind, rate in learning_rates(self.model.optimizer).items():
            points[f"learning_rate/{kind}"] = rate
        with self._worth_less_than_the_training():
            for tag, value in points.items():
                self._train.scalar(tag, value, self._step)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Adds what the logs hold, and the gates."""
        if not self._writing:
            return
        gates: Mapping[str, np.ndarray] = {}
        if self._gates_of is not None:
            gates = gate_profile(self.model, self._gates_of).gates
        with self._worth_less_than_the_training():
            self._write_epoch(logs or {})
            for path, outputs in gates.items():
                self._train.histogram(f"gates/{path}", outputs, self._step)
            self._train.flush()
            self._validation.flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Closes the files."""
        if self._profiling:
            self._end_profile()
        if self._writing:
            with self._worth_less_than_the_training():
                self._train.close()
                self._validation.close()

    def _write_epoch(self, logs: Mapping[str, Any]) -> None:
        for name, value in logs.items():
            value = float(value)
            if math.isnan(value):  # an undefined GAUC
                continue
            tag = name.removeprefix("val_")
            of_validation = tag != name
            if tag in ("loss", "regularization_loss", "total_loss"):
                continue  # of the last batch alone
            if tag.endswith("_auc") and not of_validation:
                continue  # not computed in training
            files = self._validation if of_validation else self._train
            files.scalar(f"epoch/{tag}", value, self._step)

    def _throughput(self) -> dict[str, float]:
        now = self._clock()
        before, self._measured = self._measured, (self._step, now)
        if before is None:
            return {}
        step, then = before
        examples = (self._step - step) * self._batch_size
        return {"examples_per_second": examples / (now - then)}

    def _end_profile(self) -> None:
        self._profiling = False
        with self._worth_less_than_the_training():
            tf.profiler.experimental.stop()

    @contextmanager
    def _worth_less_than_the_training(self) -> Iterator[None]:
        """Says once what cannot be written, and writes no more."""
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            if self._writing:
                report_progress(
                    f"{self._name}: no more files for TensorBoard in {self._folder}, "
                    f"the training goes on: {first_line(error)}"
                )
            self._writing = False
