"""Checkpoints that cannot be written or read, and what is left of one that was."""

import os
import resource
import signal
from contextlib import contextmanager

import pytest
import tensorflow as tf

from pipeline.training.loop import checkpoints as module
from pipeline.training.loop.checkpoints import CheckpointError
from tests.helpers.toy_training import STEPS, all_variables, toy_training


@pytest.fixture
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(module, "report_progress", said.append)
    return said


@contextmanager
def no_file_above(size):
    """The system refuses larger files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path, lines):
    training = toy_training(tmp_path)
    before = all_variables(training.model)
    assert training.checkpoints.save()
    training.model.dense.bias.assign([5.0])
    training.state.step = 3
    with no_file_above(16):
        assert not training.checkpoints.save()
    [line] = lines
    assert line.startswith("no checkpoint at epoch 1, step 3, the training goes on: ")
    again = toy_training(tmp_path)
    assert again.state.step == 0
    for value, expected in zip(all_variables(again.model), before, strict=True):
        assert (value == expected).all()


@pytest.mark.e2e
def test_a_training_goes_on_without_checkpoints(tmp_path, lines):
    training = toy_training(tmp_path / "none", epochs=1, minutes=1e-9)
    (tmp_path / "none").mkdir(exist_ok=True)
    os.rmdir(tmp_path / "none")
    (tmp_path / "none").write_text("a file stands where the folder should be")
    training.loop.run()
    assert int(training.model.optimizer.iterations) == STEPS
    assert len(lines) >= STEPS


def test_only_the_latest_is_kept(tmp_path):
    training = toy_training(tmp_path)
    for _ in range(3):
        training.checkpoints.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint",
        "training-3.data-00000-of-00001",
        "training-3.index",
    ]
    training.checkpoints.remove()
    assert not tmp_path.exists()


def test_a_checkpoint_is_due_by_the_clock(tmp_path):
    """The clock goes on by a second whenever one looks."""
    training = toy_training(tmp_path, minutes=2 / 60)
    assert [training.checkpoints.due for _ in range(3)] == [False, True, True]
    training.checkpoints.save()
    assert [training.checkpoints.due for _ in range(2)] == [False, True]


def test_a_checkpoint_that_cannot_be_read_is_named(tmp_path):
    toy_training(tmp_path).checkpoints.save()
    [data] = tmp_path.glob("*.data-*")
    data.write_bytes(data.read_bytes()[:8])
    with pytest.raises(CheckpointError, match=r"training-1 cannot be read: remove"):
        toy_training(tmp_path)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    other = tf.train.CheckpointManager(
        tf.train.Checkpoint(weight=tf.Variable(1.0)),
        str(tmp_path),
        max_to_keep=1,
        checkpoint_name="training",
    )
    other.save()
    with pytest.raises(CheckpointError, match="cannot be read"):
        toy_training(tmp_path)
