"""Training a layer prints no warning and leaves nothing in the temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.backends import ON_TENSORFLOW

ROOT = Path(__file__).parents[2]

# Compiled training of one layer, in a process of its own: AutoGraph speaks once per
# process, and writes what it has converted to the temporary folder.
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
        records.append(record.getMessage())
tf.get_logger().addHandler(Keep(level=logging.WARNING))
warnings.simplefilter("error")

x = np.random.rand(16, 6).astype("float32")
code = np.random.rand(16, 3).astype("float32")
steps = np.random.rand(16, 5, 4).astype("float32")
layers = keras.layers
inputs = [layers.Input((6,)), layers.Input((3,)), layers.Input((5, 4))]
features, gate_code, sequence = inputs
made = {
    "PersonalizationGate": lambda: poso_keras.PersonalizationGate(4)(gate_code),
    "POSODense": lambda: poso_keras.POSODense(4)(features, gate_code),
    "POSOMLP": lambda: poso_keras.POSOMLP((4, 4))(features, gate_code),
    "MLP": lambda: poso_keras.MLP((4, 4))(features),
    "POSOMMoE": lambda: poso_keras.POSOMMoE(2, (4,), 2)(features, gate_code)[0],
    "MMoE": lambda: poso_keras.MMoE(2, (4,), 2)(features)[0],
    "POSOMultiHeadAttention": lambda: poso_keras.POSOMultiHeadAttention(2, 4)(
        features, sequence, gate_code
    ),
    "SequenceAttention": lambda: poso_keras.SequenceAttention(2, 4)(features, sequence),
}[sys.argv[1]]()
model = keras.Model(inputs, layers.Dense(1)(made))
model.compile("sgd", "mse")
model.fit([x, code, steps], np.zeros((16, 1), "float32"), epochs=1, verbose=0)
assert not records, records
"""
LAYERS = [
    *("PersonalizationGate", "POSODense", "POSOMLP", "MLP", "POSOMMoE", "MMoE"),
    *("POSOMultiHeadAttention", "SequenceAttention"),
]


@pytest.mark.e2e
@pytest.mark.skipif(not ON_TENSORFLOW, reason="AutoGraph is TensorFlow's")
@pytest.mark.parametrize("layer", LAYERS)
def test_no_warning_and_no_file_is_left(layer, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, layer],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "could not be transformed" not in done.stderr
    assert not list(folder.iterdir())
