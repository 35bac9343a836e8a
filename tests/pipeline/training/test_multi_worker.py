"""Two processes on this machine train what one device trains."""

from collections import Counter

import pytest
import tensorflow as tf

from pipeline.training.cluster.launcher import MemberError
from tests.helpers.trainings import counted_members, history_of, kill_member

pytestmark = pytest.mark.e2e

# 25 examples in batches of 8: of the last, a single one, one worker gets none.
TRAINING = {"batch_size": 8, "epochs": 2, "learning_rate": 0.02}
WORKERS = {"kind": "multi_worker", "local_workers": 2}


@pytest.fixture(scope="module")
def alone(small_transform, tmp_path_factory):
    """The history of one device."""
    return history_of(
        small_transform, tmp_path_factory.mktemp("alone"), TRAINING, kind="none"
    )


@pytest.fixture(scope="module")
def together(small_transform, tmp_path_factory):
    """The history of two workers, the examples that each took, and the folder."""
    folder = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch, counted_members(patch, folder) as seen:
        history = history_of(small_transform, folder, TRAINING, **WORKERS)
    return history, seen, folder


def test_the_loss_curve_is_that_of_one_device(alone, together):
    history = together[0]
    assert set(history) == set(alone)
    for name in ("mean_loss", "val_mean_loss", "val_like_auc", "val_long_view_gauc"):
        assert history[name] == pytest.approx(alone[name], rel=1e-4), name


def test_each_example_is_taken_once_an_epoch_by_one_worker(together):
    _, seen, _ = together
    chief, worker = seen("chief-0"), seen("worker-0")
    assert len(chief) > 0
    assert len(worker) > 0
    assert len(chief) + len(worker) == 25 * TRAINING["epochs"]
    assert set(Counter(chief + worker).values()) == {TRAINING["epochs"]}


def test_the_chief_alone_writes(together):
    folder = together[2]
    events = [p.name for p in (folder / "run" / "tensorboard").rglob("events*")]
    assert len(events) == 2  # one for each of the training's and evaluation's curves
    assert len(tf.io.gfile.glob(str(folder / "serving" / "saved_model.pb"))) == 1
    assert [p for p in (folder / "checkpoints").rglob("*") if p.is_file()] == []


@pytest.mark.long
def test_a_killed_worker_stops_it_and_the_same_command_goes_on(
    small_transform, tmp_path, alone
):
    with pytest.MonkeyPatch.context() as patch:
        kill_member(patch, "worker 0", lambda line: "epoch 1/2" in line)
        with pytest.raises(MemberError, match="worker 0 was killed"):
            history_of(small_transform, tmp_path, TRAINING, **WORKERS)
    assert not (tmp_path / "serving" / "saved_model.pb").exists()
    with pytest.MonkeyPatch.context() as patch:
        lines = kill_member(patch, "worker 0", lambda line: False)
        history = history_of(small_transform, tmp_path, TRAINING, **WORKERS)
    assert any("resuming from the checkpoint" in line for line in lines)
    assert history["mean_loss"] == pytest.approx(alone["mean_loss"], rel=1e-4)
