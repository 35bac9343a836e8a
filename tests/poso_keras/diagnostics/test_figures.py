import subprocess
import sys
from pathlib import Path

import pytest

import poso_keras
from poso_keras.diagnostics._figures import new_axes


def test_without_matplotlib_the_error_is_the_fix(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Fix: pip install 'poso\[plot\]'"):
        new_axes()


@pytest.mark.e2e
def test_the_library_is_imported_where_there_is_no_matplotlib():
    """Keras 3 imports it where it can, so it must be kept from all."""
    code = "import sys; sys.modules['matplotlib'] = None; import poso_keras.diagnostics"
    root = Path(poso_keras.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_panels_that_are_not_needed_are_left_out():
    pytest.importorskip("matplotlib")
    axes = new_axes(4, columns=3)
    assert axes[0].figure.axes == axes
