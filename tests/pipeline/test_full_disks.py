"""A whole run on a disk that is full, component by component, until it is large enough.

It takes many minutes and mounts a file system in memory: `make test-kills`, as root.
"""

import os
import re
import subprocess

import pytest

from tests.helpers.small_run import poso, printed_by
from tests.helpers.whole_runs import (
    assert_same_outcome,
    assert_whole_versions,
    outcome,
    run_arguments,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(
        "POSO_TEST_KILLS" not in os.environ or os.geteuid() != 0,
        reason="takes many minutes and mounts a disk: make test-kills, as root",
    ),
]
FULL = re.compile(
    "cannot be written to: (No space left on device|database or disk is full)"
)
FIRST_KB, GROWTH, LAST_KB = 200, 1.4, 500_000


@pytest.fixture
def disk(tmp_path):
    """Mounts a disk of a size in KB; a second call resizes it."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def resized(kilobytes):
        how = "remount," if folder.is_mount() else ""
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"{how}size={kilobytes}k", "tmpfs", folder],
            check=True,
        )
        return folder

    yield resized
    subprocess.run(["umount", folder], check=False)


def test_room_is_made_and_the_same_command_goes_on(disk, tmp_path):
    log, whole = tmp_path / "log", tmp_path / "whole"
    printed_by("simulate", "--users", "300", "--out", log)
    printed_by(*run_arguments(log, whole))
    expected = outcome(whole)

    kilobytes, stopped_in = FIRST_KB, []
    while kilobytes < LAST_KB:
        out = disk(round(kilobytes)) / "out"
        run = poso(*run_arguments(log, out))
        assert_whole_versions(out)
        if run.returncode == 0:
            break
        done = re.findall(r"\] (\w+) ", run.stdout)
        stopped_in.append(f"{kilobytes:.0f} KB, after {done}: {run.stderr.strip()}")
        assert run.returncode == 1, stopped_in
        assert "Traceback" not in run.stderr, stopped_in
        assert FULL.search(run.stderr), stopped_in
        kilobytes *= GROWTH
    print("\n".join(stopped_in))
    assert len(stopped_in) > 5
    assert_same_outcome(out, expected)
