"""Progress within an epoch: in place on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import tf_keras

from pipeline.progress import LiveProgress, is_watched, report_live, report_progress

_LIVE_SECONDS, _LINE_SECONDS = 0.5, 30.0


class StepReport(tf_keras.callbacks.Callback):
    """Says how many examples are done, how fast, the time left and the losses.

    It reads the losses, for which the devices must be waited for, only when it speaks.

    Args:
        name: What is being trained.
        epochs: Epochs in all.
        batch_size: Examples per step, over all replicas.
        examples: Examples of an epoch; None until the first epoch has shown it.
        clock: Seconds, for the tests.
    """

    _supports_tf_logs = True  # Keras would read every step's losses otherwise

    def __init__(
        self,
        name: str,
        epochs: int,
        batch_size: int,
        examples: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self._name = name
        self._epochs = epochs
        self._batch_size = batch_size
        self._examples = examples
        self._clock = clock
        self._epoch = 0
        self._begun: tuple[int, float] | None = None
        self._spoke = 0.0
        self._last_batch = 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Starts to measure anew."""
        self._epoch = epoch
        self._begun = None

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Speaks if it has been silent for long enough."""
        now = self._clock()
        self._last_batch = batch
        if self._begun is None:  # the first step of all includes the tracing
            self._begun, self._spoke = (batch, now), now
        watched = is_watched()
        if now - self._spoke < (_LIVE_SECONDS if watched else _LINE_SECONDS):
            return
        self._spoke = now
        progress = self._progress(batch, now)
        if watched:
            report_live(progress)
        else:
            of_all = f" of {progress.total:,}" if progress.total else ""
            facts = ", ".join(progress.facts)
            report_progress(
                f"{progress.name}: {progress.done:,}{of_all} examples, {facts}"
            )

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Knows how long an epoch is; takes away what it showed."""
        if self._examples is None and self._begun:  # else no step of it was left
            self._examples = (self._last_batch + 1) * self._batch_size
        report_live(None)

    def _progress(self, batch: int, now: float) -> LiveProgress:
        first, begun = self._begun or (batch, now)
        done = (batch + 1) * self._batch_size
        per_second = (batch - first) * self._batch_size / (now - begun)
        facts = [f"{per_second:,.0f} examples/s"]
        if self._examples and per_second:
            done = min(done, self._examples)
            left = (self._epochs - self._epoch) * self._examples - done
            facts.append(f"{timedelta(seconds=round(left / per_second))} left")
        facts += self._losses()
        name = f"{self._name}: epoch {self._epoch + 1}/{self._epochs}"
        return LiveProgress(name, done, self._examples, tuple(facts))

    def _losses(self) -> list[str]:
        """Means of the epoch so far; the logs do not have them under every strategy."""
        losses = self.model.multi_task_loss
        means = {"loss": losses.mean_loss, **losses.means}
        return [f"{name} {float(mean.result()):.4f}" for name, mean in means.items()]
