import subprocess
import sys

import pytest

CODE = """
import sys
from pipeline.log_check.gauc_function import gauc_function
value = gauc_function()([1, 0, 1, 0], [3.0, 1.0, 0.5, 2.0], [1, 1, 2, 2]).value
assert "keras" not in sys.modules and "tensorflow" not in sys.modules
import poso_keras
assert value == poso_keras.gauc([1, 0, 1, 0], [3.0, 1.0, 0.5, 2.0], [1, 1, 2, 2]).value
gauc_function.cache_clear()
assert gauc_function() is poso_keras.gauc
"""


@pytest.mark.e2e
def test_it_is_the_projects_function_without_keras(pytestconfig):
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
