import subprocess
import sys

import pytest


@pytest.mark.e2e
def test_what_asks_for_the_real_data_is_marked(pytestconfig, tmp_path):
    (tmp_path / "test_some.py").write_text(
        "def test_real(data_dir): pass\ndef test_other(): pass\n"
    )
    settings = pytestconfig.rootpath / "pyproject.toml"
    options = ["--collect-only", "-m", "data", "-c", settings, "-p", "tests.conftest"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
    )
    assert "test_real" in done.stdout, done.stdout + done.stderr
    assert "test_other" not in done.stdout
