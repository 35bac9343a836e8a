"""The training loop, one for every strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tf_keras

from pipeline.model.ranking_model import RankingModel
from pipeline.progress import report_progress
from pipeline.training.loop.checkpoints import Checkpoints
from pipeline.training.loop.finite_losses import FiniteLosses
from pipeline.training.loop.loop_state import LoopState
from pipeline.training.loop.steps import LOSSES, Steps
from pipeline.training.loop.stop_signal import StopSignal

_STEPS_BETWEEN_CHECKS = 50


class TrainingLoop:
    """Epochs of steps, with Keras' callbacks, that can be stopped at any moment.

    Beside `tf_keras.Model.fit` it goes on within an epoch, at the very batch that
    comes next, and notices a loss that is not finite. Callbacks see what they see
    there: `mean_loss` and the last step's losses, and `val_*` at an epoch's end. One
    that counts over epochs finds those before a restart in `model.history` as the
    training begins.

    Args:
        model: Compiled, its weights made.
        steps: Takes the steps.
        state: Where to begin, and where the loop has come to.
        epochs: Epochs in all.
        evaluate: Metrics of the evaluation split, by name.
        callbacks: Keras callbacks, in their order.
        checkpoints: What `state` was restored from, and is saved to.
        finite: Knows of losses that are not finite.
        stop: Knows of signals.
    """

    def __init__(
        self,
        model: RankingModel,
        steps: Steps,
        state: LoopState,
        *,
        epochs: int,
        evaluate: Callable[[], Mapping[str, float]],
        callbacks: Sequence[tf_keras.callbacks.Callback],
        checkpoints: Checkpoints,
        finite: FiniteLosses,
        stop: StopSignal,
    ):
        self._model = model
        self._steps = steps
        self._state = state
        self._epochs = epochs
        self._evaluate = evaluate
        self._checkpoints = checkpoints
        self._finite = finite
        self._stop = stop
        self._losses: Mapping[str, Any] = {}  # of the last step, as it was returned
        self._history = tf_keras.callbacks.History()  # the last: it sees all logs
        self._callbacks = tf_keras.callbacks.CallbackList(
            [*callbacks, self._history], model=model, epochs=epochs, verbose=0
        )

    def run(self) -> dict[str, list[float]]:
        """Trains what is left to train.

        Returns:
            What the logs held at each epoch's end, by name; epochs before a restart
            among them.

        Raises:
            NonFiniteLossError: A loss, an input or a weight is NaN or infinite.
            ValueError: There is no batch to train on.
            SystemExit: The process was asked to end; all is saved.
        """
        state, model = self._state, self._model
        if state.finished:
            return state.history
        if (state.epoch, state.step) != (0, 0):
            report_progress(f"resuming from the checkpoint at {state}")
        model.stop_training = False
        model._train_counter.assign(model.optimizer.iterations)
        self._history.history = state.history
        with self._stop.held_back():
            self._callbacks.on_train_begin()
            while state.epoch < self._epochs and not model.stop_training:
                self._epoch()
            self._callbacks.on_train_end()
            state.finished = True
            self._save()
        return state.history

    def _epoch(self) -> None:
        state = self._state
        if state.step == 0:
            self._model.reset_metrics()
        self._callbacks.on_epoch_begin(state.epoch)
        self._take_steps()
        logs = self._logs()
        if not self._model.stop_training:
            self._save()
        with self._stop.at_once():
            values = self._evaluate()
            logs |= {f"val_{name}": float(value) for name, value in values.items()}
            self._callbacks.on_epoch_end(state.epoch, logs)
        state.epoch += 1
        state.step = 0

    def _take_steps(self) -> None:
        state = self._state
        self._finite.begin(state.step)
        for batch in self._steps.batches(state.epoch, state.step):
            self._callbacks.on_train_batch_begin(state.step)
            self._losses = self._steps.run(batch)
            self._callbacks.on_train_batch_end(state.step, self._losses)
            state.step += 1
            if state.step % _STEPS_BETWEEN_CHECKS == 0:
                self._finite.check(state.epoch)
            stop, save = self._steps.agreed(
                self._stop.received is not None, self._checkpoints.due
            )
            if stop or save:
                self._save()
            if stop:
                self._stop.leave()
            if self._model.stop_training:
                break
        self._steps.join()
        if state.step == 0:
            raise ValueError("there is nothing to train on: the files hold no batch")
        self._finite.check(state.epoch)

    def _logs(self) -> dict[str, float]:
        self._note_losses()
        metrics = {m.name: float(m.result()) for m in self._model.metrics}
        return {**metrics, **self._state.losses}

    def _note_losses(self) -> None:
        if self._losses:
            self._state.losses = {name: float(self._losses[name]) for name in LOSSES}

    def _save(self) -> None:
        """Writes a checkpoint, but never one of a training that has failed."""
        self._steps.join()
        self._finite.check(self._state.epoch)
        self._finite.check_weights(self._state.epoch, self._state.step)
        self._note_losses()
        self._checkpoints.save()
