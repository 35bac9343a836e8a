"""Training a layer prints no warning and leaves nothing in the temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.backends import ON_TENSORFLOW

ROOT = Path(__file__).parents[2]

# Compiled training of each layer, in a process of its own: AutoGraph speaks once per
# process and function, and writes what it has converted to the temporary folder.
PROGRAM = """
import logging, sys, warnings
warnings.simplefilter("ignore")  # what imports say is not ours
import numpy as np
from poso_keras._backend import keras
import poso_keras
import tensorflow as tf

records = []
class Keep(logging.Handler):
    def emit(self, record):
        # Each model's training is a new function, of which TensorFlow counts five.
        if "triggered tf.function retracing" not in record.getMessage():
            records.append(record.getMessage())
tf.get_logger().addHandler(Keep(level=logging.WARNING))
warnings.simplefilter("error")
# AutoGraph copies syntax trees in a way that Python 3.13 deprecates.
warnings.filterwarnings("ignore", ".*'___pyct_anno'", DeprecationWarning)

data = {
    "features": np.random.rand(16, 6).astype("float32"),
    "code": np.random.rand(16, 3).astype("float32"),
    "steps": np.random.rand(16, 5, 4).astype("float32"),
}
layers = [
    (poso_keras.PersonalizationGate(4), ["code"]),
    (poso_keras.POSODense(4), ["features", "code"]),
    (poso_keras.POSOMLP((4, 4)), ["features", "code"]),
    (poso_keras.MLP((4, 4)), ["features"]),
    (poso_keras.POSOMMoE(2, (4,), 2), ["features", "code"]),
    (poso_keras.MMoE(2, (4,), 2), ["features"]),
    (poso_keras.POSOMultiHeadAttention(2, 4), ["features", "steps", "code"]),
    (poso_keras.SequenceAttention(2, 4), ["features", "steps"]),
]
for layer, names in layers:
    inputs = [keras.layers.Input(data[name].shape[1:]) for name in names]
    outputs = layer(*inputs)
    if isinstance(outputs, (tuple, list)):
        outputs = keras.layers.Add()(list(outputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(outputs))
    model.compile("sgd", "mse")
    model.fit([data[n] for n in names], np.zeros((16, 1), "float32"), verbose=0)
    assert not records, (layer.name, records)
"""


@pytest.mark.e2e
@pytest.mark.skipif(not ON_TENSORFLOW, reason="AutoGraph is TensorFlow's")
def test_no_warning_and_no_file_is_left(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={
            **os.environ,
            "TMPDIR": str(folder),
            "PYTHONPATH": str(ROOT),
            # Python caches whatever AutoGraph writes, Keras' own functions as well.
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "could not be transformed" not in done.stderr
    assert not list(folder.iterdir())
