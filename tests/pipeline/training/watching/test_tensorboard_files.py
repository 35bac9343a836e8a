"""Event files, read back by TensorFlow."""

import json
import resource
from contextlib import contextmanager

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.config import TensorBoardConfig
from pipeline.training.watching import event_files, tensorboard_files
from pipeline.training.watching.event_files import EventFiles, keep_event_files
from pipeline.training.watching.tensorboard_files import TensorBoardFiles
from poso_keras import POSODense


def events(folder):
    """(plugin, tag, step, values) of all events."""
    found = []
    for path in sorted(folder.glob("events.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                array = tf.make_ndarray(value.tensor)
                found.append((plugin, value.tag, event.step, array))
    return found


def curves(folder):
    found = {}
    for plugin, tag, step, array in events(folder):
        if plugin == "scalars":
            found.setdefault(tag, []).append((step, pytest.approx(float(array))))
    return found


def test_a_curve_and_a_histogram_are_what_tensorboard_reads(tmp_path):
    files = EventFiles(str(tmp_path))
    values = np.array([[0.0, 0.1, 0.1], [0.9, 3.0, 3.0]])
    files.scalar("loss", 0.5, 7)
    files.histogram("gates/tower", values, 9)
    files.close()
    scalar, histogram = events(tmp_path)
    assert scalar[:3] == ("scalars", "loss", 7)
    assert float(scalar[3]) == 0.5
    assert histogram[:3] == ("histograms", "gates/tower", 9)
    rows = histogram[3]
    assert rows.shape[1] == 3
    for left, right, count in rows:
        last = right == rows[-1, 1]
        inside = (values >= left) & ((values <= right) if last else (values < right))
        assert count == inside.sum()
    assert rows[:, 2].sum() == values.size


class Clock:
    now = 0.0

    def __call__(self):
        self.now += 2.0
        return self.now


@pytest.fixture
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(tensorboard_files, "report_progress", said.append)
    monkeypatch.setattr(event_files, "report_progress", said.append)
    return said


class Gated(tf_keras.Model):
    """One gate over `code`."""

    def __init__(self):
        super().__init__()
        self.gated = POSODense(3, name="gated")

    def call(self, inputs):
        return self.gated(inputs["x"], inputs["code"])


BATCH = {"x": tf.ones([4, 2]), "code": tf.eye(4)}


def trained(folder, steps, epochs=1, at_epoch_end=lambda: None, **settings):
    """Callbacks as the loop calls them; the loss of step n is n."""
    model = Gated()
    model(BATCH)
    model.compile(tf_keras.optimizers.SGD(0.125))
    model.optimizer.build(model.trainable_variables)
    callback = TensorBoardFiles(
        TensorBoardConfig(**settings),
        "model",
        str(folder),
        batch_size=10,
        gates_of=BATCH,
        clock=Clock(),
    )
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(steps):
            callback.on_train_batch_begin(batch)
            model.optimizer.iterations.assign_add(1)
            step = int(model.optimizer.iterations)
            callback.on_train_batch_end(batch, {"loss": float(step)})
        logs = {
            "mean_loss": 0.7,
            "loss": 9.0,
            "like_auc": 0.0,
            "val_mean_loss": 0.8,
            "val_like_auc": 0.6,
            "val_like_gauc_new": 0.55,
            "val_follow_gauc": float("nan"),
        }
        callback.on_epoch_end(epoch, logs)
        at_epoch_end()
    callback.on_train_end()
    return model


def test_the_curves_of_the_steps(tmp_path, lines):
    trained(tmp_path, steps=7, epochs=2, every_steps=2)
    found = curves(tmp_path / "tensorboard" / "train")
    even = range(2, 15, 2)
    assert found["loss"] == [(step, float(step)) for step in even]
    assert found["learning_rate/sgd"] == [(step, 0.125) for step in even]
    # 20 examples each 2 seconds; none over the pause between two epochs.
    rates = found["examples_per_second"]
    assert rates == [(step, 10.0) for step in (4, 6, 10, 12, 14)]
    [line] = lines
    assert line.startswith(f"model: tensorboard --logdir {tmp_path}/tensorboard")


@pytest.mark.parametrize("installed", [True, False])
def test_the_line_says_what_is_missing_to_look(tmp_path, lines, monkeypatch, installed):
    found = {"tensorboard": object()} if installed else {}
    monkeypatch.setattr(tensorboard_files.importlib.util, "find_spec", found.get)
    trained(tmp_path, steps=0)
    assert ("pip install tensorboard" in lines[0]) != installed


@pytest.mark.usefixtures("lines")
def test_the_curves_of_the_epochs(tmp_path):
    trained(tmp_path, steps=3)
    assert curves(tmp_path / "tensorboard" / "train") == {"epoch/mean_loss": [(3, 0.7)]}
    assert curves(tmp_path / "tensorboard" / "validation") == {
        "epoch/mean_loss": [(3, 0.8)],
        "epoch/like_auc": [(3, 0.6)],
        "epoch/like_gauc_new": [(3, 0.55)],
    }


@pytest.mark.usefixtures("lines")
def test_the_gates_of_a_batch_are_a_histogram(tmp_path):
    model = trained(tmp_path, steps=1)
    [(_, tag, step, rows)] = [
        event
        for event in events(tmp_path / "tensorboard" / "train")
        if event[0] == "histograms"
    ]
    assert (tag, step) == ("gates/gated/gate", 1)
    gates = model.gated.gate(BATCH["code"]).numpy()
    assert rows[:, 2].sum() == gates.size
    assert rows[0, 0] == pytest.approx(gates.min())
    assert rows[-1, 1] == pytest.approx(gates.max())


@pytest.mark.usefixtures("lines")
def test_steps_are_profiled_where_asked_for(tmp_path, monkeypatch):
    calls = []
    profiler = tf.profiler.experimental
    monkeypatch.setattr(profiler, "start", lambda folder: calls.append(folder))
    monkeypatch.setattr(profiler, "stop", lambda: calls.append("stop"))
    trained(tmp_path, steps=2, profile_steps=[3, 4])
    assert calls == []
    trained(tmp_path, steps=5, profile_steps=[3, 4])
    assert calls == [f"{tmp_path}/tensorboard/train", "stop"]
    trained(tmp_path, steps=3, profile_steps=[3, 40])
    assert calls[2:] == [f"{tmp_path}/tensorboard/train", "stop"]


@contextmanager
def files_of_at_most(size):
    """As on a full disk, no file grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_ends_the_event_files_and_not_the_training(tmp_path, lines):
    with files_of_at_most(400):
        trained(tmp_path, steps=20, epochs=3, every_steps=1, profile_steps=[50, 60])
    _, warning = lines
    assert warning.startswith(
        f"model: no more files for TensorBoard in {tmp_path}/tensorboard, the training "
        "goes on: "
    )
    assert "\n" not in warning


def test_a_folder_for_event_files_that_cannot_be_made_is_a_line(tmp_path, lines):
    (tmp_path / "tensorboard").write_text("no folder")
    trained(tmp_path, steps=2, epochs=2, every_steps=1, profile_steps=[1, 2])
    [warning] = lines
    assert "no more files for TensorBoard" in warning


@pytest.mark.usefixtures("lines")
def test_the_curves_of_a_training_that_fails_are_left(tmp_path):
    def fail():
        raise ValueError("not finite")

    with pytest.raises(ValueError, match="not finite"):
        trained(tmp_path, steps=3, at_epoch_end=fail, every_steps=1)
    found = curves(tmp_path / "tensorboard" / "train")
    assert [step for step, _ in found["loss"]] == [1, 2, 3]


def test_the_files_of_a_training_that_is_over_go_to_its_model(tmp_path, lines):
    training, run = tmp_path / "training", tmp_path / "run"
    keep_event_files("model", str(training), str(run))
    assert (lines, run.exists()) == ([], False)
    trained(training, steps=3, every_steps=1)
    profile = training / "tensorboard" / "train" / "plugins" / "profile" / "host.xplane"
    profile.parent.mkdir(parents=True)
    profile.write_bytes(b"profile")
    keep_event_files("model", str(training), str(run))
    for part in ("train", "validation"):
        kept, written = (folder / "tensorboard" / part for folder in (run, training))
        assert curves(kept) == curves(written) != {}
    path = profile.relative_to(training)
    assert (run / path).read_bytes() == b"profile"
    assert lines[-1] == f"model: TensorBoard's files are now in {run}/tensorboard"


def test_files_that_cannot_be_copied_are_a_line(tmp_path, lines):
    trained(tmp_path, steps=1)
    (tmp_path / "run").write_text("no folder")
    keep_event_files("model", str(tmp_path), str(tmp_path / "run"))
    assert lines[-1].startswith("model: TensorBoard's files were not copied to ")


def test_the_settings_travel_as_json():
    settings = TensorBoardConfig(profile_steps=(10, 20))
    again = TensorBoardConfig(**json.loads(settings.model_dump_json()))
    assert again == settings
