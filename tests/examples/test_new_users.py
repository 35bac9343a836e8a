import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
@pytest.mark.long
def test_poso_is_ahead_for_new_users_and_not_behind_for_regular_ones():
    result = subprocess.run(
        [sys.executable, "examples/new_users.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    rows = re.findall(
        r"^(\w+) +(new|regular) +([\d.]+) +([\d.]+)$", result.stdout, re.M
    )
    gain = {(task, group): float(b) - float(a) for task, group, a, b in rows}
    assert set(gain) == {
        (task, group) for task in ("long_view", "like") for group in ("new", "regular")
    }
    assert gain["long_view", "new"] > 0.01
    assert gain["long_view", "regular"] > -0.01
