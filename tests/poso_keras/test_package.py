"""The package as it is imported: `gauc` names a module and a function."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import poso_keras

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
@pytest.mark.parametrize(
    "first",
    [
        "import poso_keras",
        "import poso_keras.gauc",
        "import poso_keras.gauc_callback",
        "from poso_keras.gauc import GAUCResult",
    ],
)
def test_gauc_is_the_function_whatever_is_imported_first(first):
    program = (
        f"{first}\nimport poso_keras, poso_keras.gauc, poso_keras.gauc_callback\n"
        "from poso_keras import gauc\nassert gauc is poso_keras.gauc\n"
        "print(type(gauc).__name__, gauc([1, 0], [2.0, 1.0], [1, 1]).value)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout.strip() == "function 1.0", run.stderr


def test_the_version_is_that_of_the_distribution():
    try:
        expected = importlib.metadata.version("poso-keras")
    except importlib.metadata.PackageNotFoundError:
        expected = "0+unknown"
    assert poso_keras.__version__ == expected
