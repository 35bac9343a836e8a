"""Keras' callbacks as the loop drives them, with GAUC from a list."""

import math

import pytest
import tf_keras

from pipeline.config import EarlyStoppingConfig
from pipeline.training.watching import early_stopping
from pipeline.training.watching.early_stopping import StopAtBestGAUC

KEY = "val_like_gauc_new"


class Killed(Exception):
    """Ends a training as a signal does."""


@pytest.fixture
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(early_stopping, "report_progress", said.append)
    return said


@pytest.fixture
def train(tmp_path, lines):
    """Trains a model whose one weight is the number of its last epoch."""

    def run(gauc, history=None, kill_in=None, **settings):
        model = tf_keras.Sequential([tf_keras.layers.Dense(1, use_bias=False)])
        model.build((None, 1))
        weight = model.trainable_variables[0]
        history = history if history is not None else {}
        keeps = tf_keras.callbacks.History()
        keeps.history = history
        config = EarlyStoppingConfig(task="like", group="new", **settings)
        stop = StopAtBestGAUC(config, "model", f"{tmp_path}/new/best.npy")
        callbacks = tf_keras.callbacks.CallbackList([stop, keeps], model=model)
        model.stop_training = False
        callbacks.on_train_begin()
        for epoch in range(len(history.get(KEY, ())), len(gauc)):
            if model.stop_training:
                break
            weight.assign([[float(epoch + 1)]])
            if epoch + 1 == kill_in:
                raise Killed
            callbacks.on_epoch_end(epoch, {KEY: gauc[epoch]})
        callbacks.on_train_end()
        return len(history[KEY]), float(weight[0, 0])

    return run


def test_it_stops_after_so_many_epochs_without_a_better_gauc(train, lines):
    assert train([0.5, 0.7, 0.6, 0.69, 0.9], patience=2) == (4, 2.0)
    assert lines == [f"model: stopped early, {KEY} was best in epoch 2: 0.7000"]


def test_a_better_epoch_starts_the_count_anew(train):
    assert train([0.5, 0.4, 0.6, 0.4, 0.7], patience=2) == (5, 5.0)


def test_the_best_weights_are_taken_where_all_epochs_were(train, lines):
    assert train([0.5, 0.7, 0.6], patience=2) == (3, 2.0)
    assert lines == []


def test_a_gain_below_min_delta_is_none(train):
    assert train([0.5, 0.52, 0.54], patience=2, min_delta=0.05) == (3, 1.0)


@pytest.mark.parametrize("kill_in", [1, 2, 3, 4])
def test_a_training_that_was_killed_ends_as_one_that_was_not(train, kill_in):
    gauc, history = [0.5, 0.7, 0.6, 0.69, 0.9], {}
    with pytest.raises(Killed):
        train(gauc, history, kill_in, patience=2)
    assert train(gauc, history, patience=2) == (4, 2.0)


def test_a_gauc_of_no_user_neither_stops_nor_goes_back(train, lines):
    assert train([math.nan] * 4, patience=1) == (4, 4.0)
    assert lines == [
        f"model: no early stopping: {KEY} is unknown, since no user in the evaluation "
        "split has both labels"
    ]
