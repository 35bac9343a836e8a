"""Which Keras is taken, whatever another project's environment asks for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import poso_keras
from poso_keras._generation import tf_keras_is_wanted

VARIABLE = "TF_USE_LEGACY_KERAS"
ROOT = str(Path(poso_keras.__file__).parents[1])
WITHOUT_TF_KERAS = "import sys; sys.modules['tf_keras'] = None; "


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A `tf_keras` that can be found; it is not imported."""
    (tmp_path / "tf_keras.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tf_keras", raising=False)


@pytest.mark.parametrize("value", ["1", "true", "True"])
@pytest.mark.usefixtures("installed")
def test_tf_keras_is_taken_where_tensorflow_takes_it(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    assert tf_keras_is_wanted()


@pytest.mark.parametrize("value", ["", "0", "false", "TRUE", "yes", None])
@pytest.mark.usefixtures("installed")
def test_keras_3_is_taken_where_tensorflow_takes_it(monkeypatch, value):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    assert not tf_keras_is_wanted()


@pytest.mark.filterwarnings("error")  # a second warning would be one
def test_without_tf_keras_a_warning_says_that_keras_3_is_taken(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.warns(RuntimeWarning, match="pip install tf-keras") as warned:
        assert not tf_keras_is_wanted()
    assert len(warned) == 1


def run(code, *path, **variables):
    environment = {**os.environ, VARIABLE: "1", **variables}
    environment["PYTHONPATH"] = os.pathsep.join([*map(str, path), ROOT])
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


@pytest.mark.e2e
def test_the_layers_run_on_keras_3_where_tf_keras_is_not_installed():
    done = run(
        WITHOUT_TF_KERAS + "import keras, numpy, poso_keras; "
        "layer = poso_keras.POSOMLP((4, 3)); "
        "outputs = layer(numpy.ones([2, 5], 'float32'), numpy.ones([2, 2], 'float32'));"
        "print(tuple(outputs.shape), isinstance(layer, keras.Layer))"
    )
    assert done.stdout.strip() == "(2, 3) True", done.stderr
    assert done.stderr.count("RuntimeWarning: TF_USE_LEGACY_KERAS=1") == 1


@pytest.mark.e2e
def test_a_tf_keras_that_does_not_fit_tensorflow_is_named(tmp_path):
    reason = "tf_keras needs TensorFlow 2.99"
    (tmp_path / "tf_keras.py").write_text(f"raise ImportError({reason!r})")
    done = run("import poso_keras", tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "install the tf_keras of TensorFlow's version" in last
    assert last.endswith(reason)


@pytest.mark.e2e
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_backend_that_is_not_installed_is_named(backend):
    done = run(
        f"import sys; sys.modules[{backend!r}] = None; import poso_keras",
        KERAS_BACKEND=backend,
        **{VARIABLE: "0"},
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert f"its backend is {backend}, which is not installed" in last
    assert f"Received: KERAS_BACKEND='{backend}'" in last
