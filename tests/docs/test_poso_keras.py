"""Runs the code of docs/poso_keras.md as a reader would, from top to bottom."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"^# needs: (.+)\n")


def is_a_program(code):
    return "TF_USE_LEGACY_KERAS" in code


def missing(code):
    """The packages a block says it needs and that are not installed."""
    found = NEEDS.match(code)
    names = found.group(1).split(", ") if found else []
    return [name for name in names if importlib.util.find_spec(name) is None]


BLOCKS = BLOCK.findall((ROOT / "docs" / "poso_keras.md").read_text())


def run(code, folder, legacy):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_USE_LEGACY_KERAS": legacy,
        "MPLBACKEND": "agg",
    }
    command = [sys.executable, "-c", code]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return result.stdout


def test_the_blocks_are_one_program(tmp_path):
    blocks = [b for b in BLOCKS if not is_a_program(b) and not missing(b)]
    assert len(blocks) >= 8
    printed = run("\n".join(blocks), tmp_path, legacy="0")
    assert "parameters" in printed


@pytest.mark.parametrize("code", [b for b in BLOCKS if is_a_program(b)])
def test_a_block_that_is_a_program_of_its_own(code, tmp_path):
    absent = missing(code)
    if absent:
        pytest.skip(f"{', '.join(absent)} is not installed")
    run(code, tmp_path, legacy="0")


@pytest.mark.parametrize("name", ["keras_rs", "tensorflow_recommenders"])
def test_foreign_models_take_less_than_ten_lines(name):
    """From the code's lines: those after the imports and the inputs."""
    (code,) = [b for b in BLOCKS if f"import {name}" in b]
    added = code.rstrip().split("\n\n")[-1].splitlines()
    assert "poso_keras.POSOMLP" in "\n".join(added)
    assert len(added) < 10
