"""Training as TFX calls it, step by step and not as graphs: the data is tiny."""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.config import TrainerPart
from pipeline.model.build import build_model
from pipeline.training import fit, trainer
from pipeline.training.findings.diagnostics import input_sensitivity
from pipeline.training.findings.gate_profiles import GateRecord, profile_from_dict
from pipeline.training.findings.run_files import (
    GATES_FILE,
    HISTORY_FILE,
    SENSITIVITY_FILE,
)
from pipeline.training.input.batches import read_batches
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.optimizers.build import build_optimizer
from pipeline.training.output_folders import bytes_to_write
from pipeline.training.repeatable import make_repeatable
from pipeline.training.watching import epoch_report
from poso_keras import gauc
from tests.helpers.small_transform import settings_with
from tests.helpers.training_arguments import run_arguments

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]

TASKS = ("long_view", "like")


@pytest.fixture(scope="module")
def eager():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def training(**values):
    return settings_with(training={"batch_size": 13, "learning_rate": 0.02, **values})


def penalized(**values):
    """So that a penalty that depends on the replicas shows in the loss curve."""
    settings = {"batch_size": 13, "learning_rate": 0.02, **values}
    return settings_with(training=settings, model={"embedding_l2": 10.0})


def part_of(config):
    return config.part(TrainerPart)


def arguments(small, folder, config=None):
    return run_arguments(small, folder, config or training(epochs=3))


class Killed(BaseException):
    """Ends a training as a signal does: nothing catches it."""


class Watched:
    """Runs `run_fn` without the export; keeps the model and the log's lines."""

    def __init__(self, monkeypatch):
        self.model = None
        self.exported_to = None
        self.lines = []
        self.kill_at = None
        self.space = []  # asked for, and taken before, at each start
        monkeypatch.setattr(trainer, "export_model", self._export)
        monkeypatch.setattr(fit, "bytes_to_write", self._bytes_to_write)
        monkeypatch.setattr(epoch_report, "report_progress", self._progress)

    def _export(self, model, transform_output, config, path):
        self.model, self.exported_to = model, path

    def _bytes_to_write(self, model, folder, **facts):
        needed = bytes_to_write(model, folder, **facts)
        taken = [f.stat().st_size for f in Path(folder).glob("*") if f.is_file()]
        self.space.append((needed, sum(taken)))
        return needed

    def _progress(self, line):
        self.lines.append(line)
        if self.kill_at and f"epoch {self.kill_at}/" in line:
            raise Killed

    @property
    def epochs(self):
        return [re.search(r"epoch (\d/\d)", line)[1] for line in self.lines]


@pytest.fixture(scope="module")
def module_patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def resumed(eager, small_transform, tmp_path_factory, module_patch):
    """A training that is killed in its second epoch, and then run again."""
    folder = tmp_path_factory.mktemp("trained")
    args = arguments(small_transform, folder)
    watched = Watched(module_patch)
    watched.kill_at = 2
    with pytest.raises(Killed):
        trainer.run_fn(args)
    assert watched.model is None
    assert not (folder / "run" / HISTORY_FILE).exists()
    killed, watched.lines, watched.kill_at = watched.epochs, [], None
    trainer.run_fn(args)
    return folder, killed, watched


def test_a_killed_training_goes_on_where_it_was(resumed):
    _, killed, watched = resumed
    assert killed == ["1/3", "2/3"]
    assert watched.epochs == ["2/3", "3/3"]
    # 25 examples in batches of 13, over three epochs in all.
    assert int(watched.model.optimizer.iterations) == 3 * 2


def test_a_finished_training_leaves_no_checkpoint_to_resume(resumed):
    folder, _, _ = resumed
    left = [path for path in (folder / "checkpoints").rglob("*") if path.is_file()]
    assert left == []


def test_a_killed_training_asks_for_no_more_space_than_at_first(resumed):
    (at_first, nothing), (again, taken) = resumed[2].space
    assert nothing == 0 < taken
    assert again < at_first


def test_the_event_files_of_both_attempts_are_the_models(resumed):
    folder, _, _ = resumed
    assert len(list((folder / "run" / "tensorboard" / "train").glob("events.*"))) == 2


def test_it_is_exported_to_where_tfx_says(resumed):
    folder, _, watched = resumed
    assert watched.exported_to == str(folder / "serving")


@pytest.fixture(scope="module")
def history(resumed):
    folder = resumed[0]
    return json.loads((folder / "run" / HISTORY_FILE).read_text())


def test_the_training_loss_falls(history):
    assert history["mean_loss"][-1] < history["mean_loss"][0]


def test_gauc_of_the_last_epoch_is_that_of_the_model(resumed, history, small_transform):
    model = resumed[2].model
    batches = list(read_batches(small_transform.train_files, small_transform.output, 8))
    for task in TASKS:
        scores = np.concatenate([model.probabilities(b)[task] for b in batches])
        labels = np.concatenate([b[task] for b in batches])
        users = np.concatenate([b["user_key"] for b in batches])
        expected = gauc(labels, scores, users).value
        assert history[f"val_{task}_gauc"][-1] == pytest.approx(expected, abs=1e-6)
    assert f"long_view {history['val_long_view_gauc'][-1]:.4f}" in resumed[2].lines[-1]


def test_the_loss_of_the_last_epoch_is_the_mean_over_all_examples(
    resumed, history, small_transform
):
    model = resumed[2].model
    [batch] = read_batches(small_transform.train_files, small_transform.output, 100)
    logits = model(batch)
    expected = 0.0
    for task, weight in (("long_view", 1.0), ("like", 0.5)):
        p = 1 / (1 + np.exp(-logits[task].numpy().astype(np.float64)))
        labels = batch[task].numpy()
        expected -= weight * np.mean(np.where(labels == 1, np.log(p), np.log(1 - p)))
    assert history["val_mean_loss"][-1] == pytest.approx(expected, rel=1e-4)


def test_the_gates_file_is_the_models_profile_and_where_it_began(
    resumed, small_transform
):
    folder, _, watched = resumed
    written = json.loads((folder / "run" / GATES_FILE).read_text())
    kept, _ = profile_from_dict(written)
    [batch] = read_batches(small_transform.train_files, small_transform.output, 100)
    config = part_of(training(epochs=3))
    make_repeatable(config.training)
    untrained = build_model(config, small_transform.output)
    for found, model in ((kept.gates, watched.model), (kept.starts, untrained)):
        expected = GateRecord(model, config, batch).since_start().gates
        assert found.keys() == expected.keys()
        for name, matrix in expected.items():
            np.testing.assert_allclose(found[name], matrix, atol=1e-5)
    assert all(numbers.moved > 1e-4 for numbers in kept.numbers().values())


@pytest.mark.usefixtures("eager")
def test_the_controls_gates_move_but_hear_no_code(
    small_transform, tmp_path, monkeypatch
):
    watched = Watched(monkeypatch)
    config = training(epochs=1).control()
    trainer.run_fn(arguments(small_transform, tmp_path, config))
    assert watched.lines[0].startswith("control: epoch 1/1")
    written = json.loads((tmp_path / "run" / GATES_FILE).read_text())
    for numbers in profile_from_dict(written)[0].numbers().values():
        assert numbers.moved > 0
        assert numbers.between_codes < 1e-6
        assert numbers.between_units < 1e-6


@pytest.mark.usefixtures("eager")
def test_the_plain_baseline_has_no_gates(small_transform, tmp_path, monkeypatch):
    config = training(epochs=1)
    watched = Watched(monkeypatch)
    trainer.run_fn(arguments(small_transform, tmp_path, config.plain()))
    assert watched.lines[0].startswith("plain baseline: epoch 1/1")
    assert not any("gate" in v.name for v in watched.model.trainable_variables)
    assert not (tmp_path / "run" / GATES_FILE).exists()
    history = json.loads((tmp_path / "run" / HISTORY_FILE).read_text())
    assert {"mean_loss", "val_mean_loss", "val_like_gauc"} <= set(history)


def test_the_sensitivity_file_is_of_the_trained_model(resumed, small_transform):
    folder, _, watched = resumed
    written = json.loads((folder / "run" / SENSITIVITY_FILE).read_text())
    evaluation = read_batches(
        arguments(small_transform, folder, small_transform.config).eval_files,
        small_transform.output,
        small_transform.config.training.batch_size,
    )
    result = input_sensitivity(watched.model, small_transform.config, evaluation)
    for name, change in result.relative.items():
        assert written["features"][name]["relative"] == pytest.approx(change, rel=1e-4)


def test_checkpoints_are_of_one_configuration_and_data_alone(small_transform, tmp_path):
    config = small_transform.config

    def place(config=config, **changes):
        args = arguments(small_transform, tmp_path, config)
        for name, value in changes.items():
            setattr(args, name, value)
        return fit.training_checkpoint_dir(args, part_of(config))

    faster = settings_with(training={"learning_rate": 0.5})

    def with_like(**changes):
        like = config.tasks["like"].model_copy(update=changes)
        return config.model_copy(update={"tasks": {**config.tasks, "like": like}})

    others = [
        place(config.plain()),
        place(faster),
        place(with_like(weight=3.0)),
        place(transform_graph_path="elsewhere"),
        place(train_files=["other-*"]),
    ]
    assert place() == place()
    assert len({place(), *others}) == 6
    for path in others:
        assert path.startswith(str(tmp_path / "checkpoints"))
    # What the training does not read does not matter, nor how often it is saved.
    assert place(settings_with(training={"checkpoint_minutes": 60})) == place()
    assert place(settings_with(training={"tensorboard": {"every_steps": 7}})) == place()
    mlflow = {"tracking_uri": "http://tracking:5000"}
    assert place(settings_with(training={"mlflow": mlflow})) == place()
    assert place(settings_with(serving={"max_candidates": 7})) == place()
    assert place(with_like(fusion_weight=3.0)) == place()
    assert place(settings_with(evaluation={"max_gauc_drop": 0.5})) == place()
    assert place(settings_with(training={"baseline": False})) == place()
    # Where the results go does not matter: TFX gives each attempt another folder.
    assert place(serving_model_dir="a", model_run_dir="b") == place()


# Logical devices can only be made before TensorFlow starts, so in a fresh process.
SCRIPT = """
    import json, sys
    from pathlib import Path

    import pipeline
    import numpy as np

    from pipeline.config import RunConfig, TrainerPart
    from pipeline.training import trainer
    from pipeline.training.input.batches import read_batches
    from pipeline.training.findings.run_files import HISTORY_FILE
    from pipeline.training.strategies.build import prepare_devices
    from poso_keras import gauc
    from tests.helpers.training_arguments import training_arguments

    folder, out, text = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    config = RunConfig.model_validate_json(text)
    prepare_devices(config.training.strategy)
    kept = {}
    trainer.export_model = lambda model, output, *_: kept.update(m=model, o=output)
    files = [str(folder / "transformed" / "*.gz")]
    part = config.part(TrainerPart)
    trainer.run_fn(training_arguments(part, files, str(folder / "graph"), out))
    batches = read_batches(files, kept["o"], config.training.batch_size)
    scores = kept["m"].predict(batches, verbose=0)
    column = lambda name: np.concatenate([b[name].numpy() for b in batches])
    history = json.loads((out / "run" / HISTORY_FILE).read_text())
    print(json.dumps({
        "replicas": kept["m"].distribute_strategy.num_replicas_in_sync,
        "losses": history["mean_loss"],
        "logged": {t: history[f"val_{t}_gauc"][-1] for t in config.tasks},
        "expected": {
            t: gauc(column(t), scores[t], column("user_key")).value
            for t in config.tasks
        },
    }))
"""


@pytest.fixture(scope="module", params=["none", "mirrored"])
def trained(request, small_transform, tmp_path_factory):
    """25 examples in batches of 8: of the last, a single one, one device gets none."""
    kind, out = request.param, tmp_path_factory.mktemp(request.param)
    replicas = {"none": 1, "mirrored": 2}[kind]
    strategy = {"kind": kind, "replicas": None if kind == "none" else replicas}
    config = penalized(batch_size=8, epochs=2, strategy=strategy)
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(SCRIPT),
            str(small_transform.folder),
            str(out),
            config.model_dump_json(),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.splitlines()[-1])
    assert said["replicas"] == replicas
    return said


def test_gauc_is_that_of_the_predictions_of_the_whole_split(trained):
    assert trained["logged"] == trained["expected"]


def test_the_loss_curve_is_that_of_the_whole_batches(trained, one_device):
    """Step by step in this process, without a loop, a strategy or a graph."""
    np.testing.assert_allclose(trained["losses"], one_device, rtol=1e-4)


@pytest.fixture(scope="module")
def one_device(eager, small_transform):
    config = part_of(penalized(batch_size=8, epochs=2))
    make_repeatable(config.training)
    model = build_model(config, small_transform.output)
    model.compile(optimizer=build_optimizer(config.training, model))
    reader = EpochReader(
        small_transform.train_files,
        small_transform.output,
        8,
        shuffle_buffer=config.training.shuffle_buffer,
        seed=config.training.seed,
    )
    losses = []
    for epoch in range(2):
        batch_losses, sizes = [], []
        for batch in reader.batches(epoch):
            batch_losses.append(float(model.train_step(batch)["loss"]))
            sizes.append(len(batch["like"]))
        losses.append(np.average(batch_losses, weights=sizes))
    return losses
