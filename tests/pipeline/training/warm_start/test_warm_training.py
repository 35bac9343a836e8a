"""Trainings as TFX calls them, from the export of one to the start of the next."""

import json

import numpy as np
import pytest
import tensorflow as tf

from pipeline.training import fit, trainer
from pipeline.training.findings.run_files import HISTORY_FILE
from pipeline.training.strategies.trained_weights import parts_by_name
from pipeline.training.warm_start.weight_files import WeightFiles, weights_folder
from tests.helpers.small_transform import feature_row, settings_with
from tests.helpers.training_arguments import run_arguments

pytestmark = pytest.mark.e2e


def configured(**values):
    return settings_with(
        training={"batch_size": 13, "learning_rate": 0.02, "epochs": 2, **values}
    )


def arguments(small, folder, config, base=None):
    args = run_arguments(small, folder, config)
    args.base_model = base
    args.serving_model_dir = str(folder / "model" / "Format-Serving")
    return args


def first_loss(folder):
    return json.loads((folder / "run" / HISTORY_FILE).read_text())["mean_loss"][0]


@pytest.fixture(scope="module")
def first(small_transform, tmp_path_factory):
    """A training from the start: its arguments and its folder."""
    folder = tmp_path_factory.mktemp("first")
    args = arguments(small_transform, folder, configured())
    trainer.run_fn(args)
    return args, folder


@pytest.fixture
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(fit, "report_progress", said.append)
    return said


class Stopped(BaseException):
    """Ends a training at its first step."""


@pytest.fixture
def at_start(monkeypatch):
    """Weights by name as the training loop begins."""
    seen = {}

    def run(loop):
        for name, [variable] in parts_by_name(loop._model.trainable_variables).items():
            seen[name] = variable.numpy()
        raise Stopped

    monkeypatch.setattr(fit.TrainingLoop, "run", run)
    return seen


def test_it_begins_with_what_was_exported(
    first, small_transform, tmp_path, at_start, lines
):
    base = first[0].serving_model_dir
    config = configured(warm_start=True, seed=99)
    with pytest.raises(Stopped):
        trainer.run_fn(arguments(small_transform, tmp_path, config, base))
    files = WeightFiles(weights_folder(base))
    assert at_start
    for name, array in at_start.items():
        np.testing.assert_array_equal(array, files.array(name))
    assert lines == [
        f"model: starts from {base}; known ids: author_id 2 of 2, "
        "country 1 of 1, topics 2 of 2, user_id 4 of 4, video_id 6 of 6, "
        "video_tags 3 of 3"
    ]


def test_it_is_not_begun_warm_unless_asked(first, small_transform, tmp_path, at_start):
    base = first[0].serving_model_dir
    args = arguments(small_transform, tmp_path, configured(seed=99), base)
    with pytest.raises(Stopped):
        trainer.run_fn(args)
    files = WeightFiles(weights_folder(base))
    name = "mmoe/expert_kernel_0"
    assert not np.array_equal(at_start[name], files.array(name))


class Killed(BaseException):
    """Ends a training as a signal does."""


@pytest.mark.long
def test_a_killed_one_goes_on_from_its_checkpoint_and_serves(
    first, small_transform, tmp_path, lines, monkeypatch
):
    base = first[0].serving_model_dir
    config = configured(warm_start=True)
    args = arguments(small_transform, tmp_path, config, base)
    epoch = fit.TrainingLoop._epoch

    def killed_in_second(loop):
        if loop._state.epoch == 1:
            raise Killed
        epoch(loop)

    with monkeypatch.context() as patch:
        patch.setattr(fit.TrainingLoop, "_epoch", killed_in_second)
        with pytest.raises(Killed):
            trainer.run_fn(args)
    assert [line[:20] for line in lines] == [f"model: starts from {base}"[:20]]
    del lines[:]
    trainer.run_fn(args)
    assert lines == []  # its weights are the checkpoint's
    assert first_loss(tmp_path) < first_loss(first[1])

    model = tf.saved_model.load(args.serving_model_dir)
    [scores] = {
        value.shape[0]
        for value in model.signatures["serving_default"](
            tf.constant(small_transform.examples([feature_row(), feature_row()]))
        ).values()
    }
    assert scores == 2


def losses(folder):
    return json.loads((folder / "run" / HISTORY_FILE).read_text())["mean_loss"]


@pytest.mark.long
def test_it_may_have_fewer_epochs(first, small_transform, tmp_path, lines):
    config = configured(warm_start=True, warm_start_epochs=1)
    base = first[0].serving_model_dir
    trainer.run_fn(arguments(small_transform, tmp_path / "warm", config, base))
    assert len(losses(tmp_path / "warm")) == 1
    assert f"starts from {base}" in lines[0]
    for name, found in (("none", None), ("old", str(tmp_path / "Format-Serving"))):
        trainer.run_fn(arguments(small_transform, tmp_path / name, config, found))
        assert len(losses(tmp_path / name)) == 2
        assert "starts fresh" in lines[-1]


def test_another_base_is_another_training(first, small_transform, tmp_path):
    config = configured(warm_start=True)
    folders = {
        fit.training_checkpoint_dir(
            arguments(small_transform, tmp_path, config, base),
            config.part(fit.TrainerPart),
        )
        for base in (None, "model/1/Format-Serving", "model/2/Format-Serving")
    }
    assert len(folders) == 3
