"""A training that is killed again and again ends as one that was left alone."""

import signal

import numpy as np
import pytest

from pipeline.training.findings.run_files import HISTORY_FILE
from tests.helpers.interrupted_training import (
    RANDOM,
    RECORD,
    STEP,
    WRITE,
    train,
    weights,
)
from tests.helpers.small_transform import SETTINGS, settings_with

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture(scope="module")
def config():
    """Five steps an epoch, dropout, and a checkpoint after every step."""
    return settings_with(
        model={**SETTINGS["model"], "dropout": 0.3},
        training={
            "batch_size": 6,
            "epochs": 3,
            "learning_rate": 0.02,
            "checkpoint_minutes": 1e-6,
        },
    )


@pytest.fixture(scope="module")
def whole(small_transform, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    run = train(small_transform, out, config)
    assert run.returncode == 0, run.stderr
    return out


def test_it_ends_with_the_same_weights_bit_for_bit(
    small_transform, config, whole, tmp_path
):
    def run(*interruption):
        return train(small_transform, tmp_path, config, *interruption)

    assert run(WRITE, 3).returncode == -signal.SIGKILL
    resumed = run(RECORD, 3)
    assert resumed.returncode == -signal.SIGKILL
    assert "resuming from the checkpoint at epoch 1, step 2" in resumed.stdout
    asked = run(STEP, 2, signal.SIGTERM)
    assert asked.returncode == 128 + signal.SIGTERM, asked.stderr
    assert asked.stdout.endswith("again to resume from the last checkpoint\n")
    assert run(RANDOM).returncode in (-signal.SIGKILL, 0)
    last = run()
    assert last.returncode == 0, last.stderr
    expected = weights(whole)
    assert len(expected) > 50
    for name, value in weights(tmp_path).items():
        np.testing.assert_array_equal(value, expected[name], name)
    history = (tmp_path / "run" / HISTORY_FILE).read_text()
    assert history == (whole / "run" / HISTORY_FILE).read_text()
    assert not list((tmp_path / "checkpoints").iterdir())
