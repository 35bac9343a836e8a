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

    def run(gauc, history=None, kill_in=None, at_epoch=lambda epoch: None, **settings):
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
            at_epoch(epoch + 1)
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
        f"model: no early stopping: {KEY} is undefined, since no user in the "
        "evaluation split has both labels"
    ]


def fill_disk(folder, in_epoch):
    """From an epoch on nothing can be written below the folder."""

    def at_epoch(epoch):
        if epoch == in_epoch:
            folder.mkdir(exist_ok=True)
            (folder / "best.npy.part").mkdir()

    return at_epoch


def test_best_weights_that_cannot_be_written_are_kept_in_memory(train, lines, tmp_path):
    file = tmp_path / "new" / "best.npy"
    full = fill_disk(file.parent, in_epoch=2)
    assert train([0.5, 0.7, 0.6, 0.69], at_epoch=full, patience=2) == (4, 2.0)
    assert lines[0].startswith(
        f"model: {file} cannot be written, so the best weights are in memory alone and "
        f"a restart loses them: {file}.part"
    )
    assert "\n" not in lines[0]
    assert len(lines) == 2


def test_weights_of_an_epoch_before_do_not_pass_for_the_best(train, lines, tmp_path):
    file, gauc, history = tmp_path / "new" / "best.npy", [0.5, 0.7, 0.6, 0.69], {}
    full = fill_disk(file.parent, in_epoch=2)
    with pytest.raises(Killed):
        train(gauc, history, kill_in=3, at_epoch=full, patience=2)
    assert train(gauc, history, patience=2) == (4, 4.0)
    assert f"the best epoch, 2, were lost in a restart ({file} could" in lines[-1]
