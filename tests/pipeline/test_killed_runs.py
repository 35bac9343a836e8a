"""A whole run that is killed at random moments ends as if it had never been stopped.

It takes many minutes: `make test-kills`, where POSO_TEST_KILLS says how many kills.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_result import read_result
from tests.helpers.small_run import SETS, printed_by

KILLS = int(os.environ.get("POSO_TEST_KILLS", "0"))
SEED = int(os.environ.get("POSO_TEST_SEED", "1"))
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not KILLS, reason="takes many minutes: make test-kills"),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed") / "log"
    printed_by("simulate", "--users", "300", "--out", folder)
    return folder


def options(log, out):
    config = Path(__file__).parents[2] / "configs" / "demo.yaml"
    places = ["--config", config, "--data", log, "--out", out]
    return [*map(str, places), *SETS, "--set", "training.deterministic=true"]


def started(log, out):
    """The command in a session of its own, with all that it starts."""
    with open(out.with_suffix(".txt"), "a") as printed:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "run", *options(log, out)],
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def killed_after(log, out, seconds):
    """Runs the command for so long; whether it was killed before its end."""
    process = started(log, out)
    try:
        assert process.wait(timeout=seconds) == 0, out.with_suffix(".txt").read_text()
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def weights(export):
    reader = tf.train.load_checkpoint(str(export / "variables" / "variables"))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in names if name.startswith("v")}


def assert_whole(versions):
    """Whatever a server may find is a whole model."""
    for version in versions.glob("[0-9]*"):
        assert tf.saved_model.contains_saved_model(str(version)), version
        weights(version)


def outcome(out):
    result = read_result(RunPaths(out))
    numbers = {
        name: result.metrics[name] for name in ("data", "gauc", "blessed", "notes")
    }
    return numbers, weights(result.pushed)


def test_it_ends_as_a_run_that_was_never_stopped(log, tmp_path):
    whole = tmp_path / "whole"
    begun = time.monotonic()
    assert not killed_after(log, whole, seconds=None)
    seconds = time.monotonic() - begun
    numbers, expected = outcome(whole)

    chance = random.Random(SEED)
    folders, kills = [tmp_path / "killed-0"], 0
    while kills < KILLS:
        out = folders[-1]
        if killed_after(log, out, chance.uniform(0, seconds)):
            kills += 1
        else:  # what comes next is killed from its start on
            folders.append(tmp_path / f"killed-{len(folders)}")
        assert_whole(RunPaths(out).serving)
    for out in folders:
        killed_after(log, out, seconds=None)
        found, trained = outcome(out)
        assert found == numbers
        assert trained.keys() == expected.keys()
        for name, values in trained.items():
            np.testing.assert_array_equal(values, expected[name], err_msg=name)
