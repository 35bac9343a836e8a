"""A whole run that is killed at random moments ends as if it had never been stopped.

It takes many minutes: `make test-kills`, where POSO_TEST_KILLS says how many kills.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.small_run import printed_by
from tests.helpers.whole_runs import (
    assert_same_outcome,
    assert_whole_versions,
    outcome,
    run_arguments,
)

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


def started(log, out):
    """The command in a session of its own, with all that it starts."""
    with open(out.with_suffix(".txt"), "a") as printed:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *run_arguments(log, out)],
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


def test_it_ends_as_a_run_that_was_never_stopped(log, tmp_path):
    whole = tmp_path / "whole"
    begun = time.monotonic()
    assert not killed_after(log, whole, seconds=None)
    seconds = time.monotonic() - begun
    expected = outcome(whole)

    chance = random.Random(SEED)
    folders, kills = [tmp_path / "killed-0"], 0
    while kills < KILLS:
        out = folders[-1]
        if killed_after(log, out, chance.uniform(0, seconds)):
            kills += 1
        else:  # what comes next is killed from its start on
            folders.append(tmp_path / f"killed-{len(folders)}")
        assert_whole_versions(out)
    for out in folders:
        killed_after(log, out, seconds=None)
        assert_same_outcome(out, expected)
        printed = out.with_suffix(".txt").read_text()
        print(f"{out.name}:\n{printed}")
