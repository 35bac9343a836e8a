"""What importing `pipeline` does depends on the process, so each test has its own."""

import os
import subprocess
import sys

import pytest

from pipeline.legacy_keras import VARIABLE

pytestmark = pytest.mark.e2e


def run(code, **environment):
    inherited = {k: v for k, v in os.environ.items() if k != VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


# An empty module in its place: the check is on what is imported, not on what is in it,
# and importing the real one takes seconds.
IMPORTED = "import sys, types; sys.modules['{0}'] = types.ModuleType('{0}'); "
FAKE = IMPORTED.format("tensorflow")


@pytest.mark.parametrize("early", ["tensorflow", "poso_keras"])
def test_what_chose_its_keras_before_pipeline_is_an_error_that_names_the_fix(early):
    done = run(IMPORTED.format(early) + "import pipeline")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    assert f"{early} is imported already" in last
    assert f"Set {VARIABLE}=1 in the environment, or import `pipeline` first" in last
    assert f"Received: {VARIABLE}=None" in last


def test_keras_3_that_was_asked_for_is_an_error_too():
    done = run(FAKE + "import pipeline", **{VARIABLE: "0"})
    assert done.returncode != 0
    assert f"Received: {VARIABLE}='0'" in done.stderr


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_tensorflow_with_the_variable_set_is_fine(value):
    done = run(FAKE + "import pipeline", **{VARIABLE: value})
    assert done.returncode == 0, done.stderr


def test_a_missing_tf_keras_is_an_error_that_names_the_fix():
    done = run("import sys; sys.modules['tf_keras'] = None; import pipeline")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: `pipeline` needs tf_keras")
    assert "pip install . './application[pipeline,serving]'" in last


def test_pipeline_before_tensorflow_sets_the_variable_and_imports_nothing_heavy():
    done = run(
        "import os, sys, pipeline; "
        f"print(os.environ['{VARIABLE}'], 'tensorflow' in sys.modules)"
    )
    assert done.stdout.split() == ["1", "False"], done.stderr


@pytest.mark.parametrize("backend", ["jax", "torch", "no such thing"])
def test_the_backend_of_another_project_is_not_loaded(backend):
    done = run(
        "import os, pipeline; print(os.environ['KERAS_BACKEND'])", KERAS_BACKEND=backend
    )
    assert done.stdout.split() == ["tensorflow"], done.stderr


def test_this_process_runs_keras_2():
    import tensorflow as tf
    import tf_keras

    assert tf.keras.layers.Layer is tf_keras.layers.Layer
