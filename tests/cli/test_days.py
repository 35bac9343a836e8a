"""Days in a row, as a user runs them, against one run over the whole log."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_result import newest_outputs
from tests.helpers.small_run import SETS, poso, printed_by

pytestmark = pytest.mark.e2e

CONFIG = Path(__file__).parents[2] / "configs" / "demo.yaml"
# The simulated feed's last days.
DAYS = ["2024-03-12", "2024-03-13"]
SETTINGS = [
    *SETS,
    *("--set", "split.train_days=3"),
    *("--set", "training.baseline=false"),
    *("--set", "training.warm_start=true"),
    *("--set", "training.deterministic=true"),
    *("--set", "serving.validation.enabled=false"),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("days") / "log"
    printed_by("simulate", "--users", "200", "--out", folder)
    return folder


@pytest.fixture(scope="module")
def out(log, tmp_path_factory):
    """The folder of two days."""
    folder = tmp_path_factory.mktemp("days") / "out"
    days = ("--from", DAYS[0], "--to", DAYS[1])
    printed_by("backfill", *options(log, folder), *days)
    return folder


def options(log, out):
    return ["--config", CONFIG, "--data", log, "--out", out, *SETTINGS]


def examples(out, split):
    folder = Path(
        newest_outputs(RunPaths(out).metadata)["ImpressionExampleGen"]["examples"]
    )
    files = sorted(map(str, (folder / f"Split-{split}").glob("*.gz")))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    return sorted(records.as_numpy_iterator())


def test_the_second_day_has_the_features_of_one_run_over_all(log, out, tmp_path):
    whole = tmp_path / "whole"
    until = ("--date", DAYS[1], "--until", "ImpressionExampleGen")
    printed_by("run", *options(log, whole), *until)
    for split in ("train", "eval"):
        assert examples(out, split) == examples(whole, split)


def runs(out):
    return json.loads(printed_by("status", "--out", out, "--json"))["runs"]


def test_each_day_is_a_row_of_the_status(out):
    found = runs(out)
    assert [(run["day"], run["state"]) for run in found] == [
        (day, "done") for day in DAYS
    ]
    first, second = (run["rows_in"] for run in found)
    assert first > 3 * second  # the first run reads the log from its beginning


@pytest.mark.long
def test_the_newest_day_again_gives_the_same_also_after_clean(log, out):
    newest = runs(out)[-1]
    printed_by("clean", "--out", out, "--keep", 1)
    again = ("--date", DAYS[1], "--again")
    printed = printed_by("run", *options(log, out), *again)
    assert "nothing has changed since the run" in printed
    printed = printed_by("run", *options(log, out), *again, "--from", "Transform")
    assert "Trainer" in printed
    found = runs(out)[-1]
    assert found["run"] != newest["run"]
    for name in ("day", "state", "rows_in", "rejects", "gauc", "blessed"):
        assert found[name] == newest[name]


def test_a_day_that_a_later_one_was_built_on_is_refused(log, out):
    run = poso("run", *options(log, out), "--date", DAYS[0], "--again")
    assert run.returncode == 1
    assert f"{DAYS[0]} cannot be run here any more: {DAYS[1]} was" in run.stderr
