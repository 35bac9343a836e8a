"""The training loop: its steps, its logs, and going on after any of them."""

import math
import signal

import numpy as np
import pytest
import tf_keras

from pipeline.config import EarlyStoppingConfig
from pipeline.training.loop.stop_signal import StopSignal
from pipeline.training.watching.early_stopping import StopAtBestGAUC
from tests.helpers.toy_training import (
    BATCH,
    ROWS,
    STEPS,
    At,
    all_variables,
    order,
    rows,
    toy_training,
)

pytestmark = pytest.mark.e2e


class Killed(BaseException):
    """Ends a training as a signal does: nothing catches it."""


def kill():
    raise Killed


def test_the_weights_are_those_of_gradient_descent_by_hand(tmp_path):
    training = toy_training(tmp_path, optimizer=tf_keras.optimizers.SGD, epochs=2)
    kernel, bias = (v.numpy().astype(np.float64) for v in training.model.variables[:2])
    history = training.loop.run()
    x, like = rows()
    for epoch in range(2):
        total = 0.0
        places = order(epoch)
        for start in range(0, ROWS, BATCH):
            batch = places[start : start + BATCH]
            p = 1 / (1 + np.exp(-(x[batch] @ kernel[:, 0] + bias)))
            total -= np.log(np.where(like[batch] == 1, p, 1 - p)).sum()
            error = (p - like[batch]) / len(batch)
            kernel[:, 0] -= 0.1 * x[batch].T @ error
            bias -= 0.1 * error.sum()
        assert history["mean_loss"][epoch] == pytest.approx(total / ROWS, rel=1e-5)
    np.testing.assert_allclose(training.model.dense.kernel, kernel, rtol=1e-5)
    np.testing.assert_allclose(training.model.dense.bias, bias, rtol=1e-5)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Variables and history of two epochs with dropout."""
    training = toy_training(tmp_path_factory.mktemp("whole"), dropout=0.4)
    history = training.loop.run()
    return all_variables(training.model), history


def check_same(training, history, uninterrupted):
    for value, expected in zip(
        all_variables(training.model), uninterrupted[0], strict=True
    ):
        np.testing.assert_array_equal(value, expected)
    assert history == uninterrupted[1]


@pytest.mark.parametrize("moment", [0, 3, STEPS - 1, STEPS, 2 * STEPS - 1])
def test_a_training_stopped_in_any_step_ends_as_if_it_was_not(
    tmp_path, uninterrupted, moment
):
    stop = StopSignal()
    asked = At(moment, lambda: setattr(stop, "received", signal.SIGTERM))
    with pytest.raises(SystemExit) as ended:
        toy_training(tmp_path, dropout=0.4, callbacks=[asked], stop=stop).loop.run()
    assert ended.value.code == 143
    again = toy_training(tmp_path, dropout=0.4)
    assert (again.state.epoch, again.state.step) == (
        moment // STEPS,
        moment % STEPS + 1,
    )
    check_same(again, again.loop.run(), uninterrupted)


def test_a_killed_training_goes_on_from_the_latest_checkpoint(tmp_path, uninterrupted):
    """A checkpoint every third step (the clock's), killed before the ninth."""
    killed = toy_training(
        tmp_path, dropout=0.4, callbacks=[At(8, kill)], minutes=2.5 / 60
    )
    with pytest.raises(Killed):
        killed.loop.run()
    again = toy_training(tmp_path, dropout=0.4, callbacks=[At(99, kill)])
    assert 0 < again.state.epoch * STEPS + again.state.step < 8
    check_same(again, again.loop.run(), uninterrupted)


def test_what_is_trained_is_not_trained_again(tmp_path, uninterrupted):
    toy_training(tmp_path, dropout=0.4).loop.run()
    again = toy_training(tmp_path, dropout=0.4, callbacks=[At(0, kill)])
    check_same(again, again.loop.run(), uninterrupted)


class Evaluated(tf_keras.callbacks.Callback):
    """The process is asked to end while its second epoch is evaluated."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            signal.raise_signal(signal.SIGTERM)
            kill()


def test_a_signal_during_an_evaluation_does_not_wait_for_its_end(
    tmp_path, uninterrupted
):
    stopped = toy_training(tmp_path, dropout=0.4, callbacks=[Evaluated()])
    with pytest.raises(SystemExit), stopped.stop:
        stopped.loop.run()
    again = toy_training(tmp_path, dropout=0.4)
    assert (again.state.epoch, again.state.step) == (1, STEPS)
    check_same(again, again.loop.run(), uninterrupted)


class Scripted(tf_keras.callbacks.Callback):
    """Logs a GAUC that is best in the first epoch."""

    def __init__(self, name):
        super().__init__()
        self._name = name

    def on_epoch_end(self, epoch, logs=None):
        logs[self._name] = -float(epoch)


def stopping(folder):
    """What stops after two epochs without a better one."""
    settings = EarlyStoppingConfig(task="like", patience=2)
    file = str(folder / "best_weights.npy")
    return [Scripted(settings.monitor), StopAtBestGAUC(settings, "model", file)]


def test_early_stopping_counts_on_and_keeps_the_best_weights(tmp_path):
    def start(name, *callbacks):
        folder = tmp_path / name
        return toy_training(
            folder,
            epochs=9,
            minutes=1e-9,
            callbacks=[*stopping(folder), *callbacks],
        )

    whole = start("whole")
    history = whole.loop.run()
    assert history["val_like_gauc"] == [0.0, -1.0, -2.0]
    assert int(whole.model.optimizer.iterations) == 3 * STEPS
    with pytest.raises(Killed):
        start("cut", At(2 * STEPS + 1, kill)).loop.run()
    again = start("cut")
    assert again.state.epoch == 2
    assert again.loop.run() == history
    for value, expected in zip(
        again.model.get_weights(), whole.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(value, expected)
    assert again.state.finished


class Asked(tf_keras.callbacks.Callback):
    """Stops the training before the second epoch's third step."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == STEPS + 2:
            self.model.stop_training = True


def test_a_callback_can_stop_the_training(tmp_path):
    training = toy_training(tmp_path, epochs=5, callbacks=[Asked()])
    history = training.loop.run()
    assert len(history["loss"]) == 2
    assert int(training.model.optimizer.iterations) == STEPS + 2


def test_callbacks_see_the_running_loss_and_the_evaluation(tmp_path):
    seen = []

    class Watch(tf_keras.callbacks.Callback):
        _supports_tf_logs = True

        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, float(logs["mean_loss"])))

        def on_epoch_end(self, epoch, logs=None):
            seen.append(dict(logs))

    training = toy_training(tmp_path, epochs=1, callbacks=[Watch()])
    history = training.loop.run()
    *steps, logs = seen
    assert [batch for batch, _ in steps] == list(range(STEPS))
    assert logs["mean_loss"] == pytest.approx(steps[-1][1])
    assert set(logs) == {
        f"{prefix}{name}"
        for prefix in ("", "val_")
        for name in ("mean_loss", "loss", "regularization_loss", "total_loss")
    }
    assert history == {name: [value] for name, value in logs.items()}
    evaluated = training.model.mean_loss.result()
    assert logs["val_mean_loss"] == pytest.approx(float(evaluated))
    assert all(math.isfinite(value) for value in logs.values())
