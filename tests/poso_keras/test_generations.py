"""The same layers in another generation of Keras, in a process of its own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import poso_keras
from poso_keras._backend import KERAS_3
from tests.helpers.backends import as_arrays
from tests.helpers.layer_checks import named_weights, normal, randomize

pytestmark = pytest.mark.e2e

X, VALUE, CODE = normal(4, 5), normal(4, 6, 3), normal(4, 2)
MASK = np.tri(4, 6)
LAYERS = {
    "PersonalizationGate": ({"units": 3}, (CODE,)),
    "POSODense": ({"units": 3, "activation": "relu"}, (X, CODE)),
    "MLP": ({"units": (4, 3)}, (X,)),
    "POSOMLP": ({"units": (4, 3)}, (X, CODE)),
    "MMoE": ({"num_experts": 3, "expert_units": (4, 2), "num_tasks": 2}, (X,)),
    "POSOMMoE": ({"num_experts": 3, "expert_units": (4,), "num_tasks": 2}, (X, CODE)),
    "SequenceAttention": ({"num_heads": 2, "key_dim": 3}, (X, VALUE, CODE, MASK)),
    "POSOMultiHeadAttention": (
        {"num_heads": 2, "key_dim": 3, "query_mode": "full"},
        (X, VALUE, CODE, MASK),
    ),
}


def run_layers(folder: Path) -> None:
    """Loads each layer's weights by position and writes its names and outputs."""
    for name, (config, args) in LAYERS.items():
        layer = getattr(poso_keras, name)(**config)
        layer(*args)
        with np.load(folder / f"{name}.weights.npz") as weights:
            layer.set_weights([weights[key] for key in weights.files])
        outputs = as_arrays(layer(*args))
        names = np.array(list(named_weights(layer)))
        np.savez(folder / f"{name}.outputs.npz", names=names, outputs=outputs)
    (folder / "keras_3").write_text(str(KERAS_3))


def test_weights_move_between_generations(tmp_path):
    expected = {}
    for name, (config, args) in LAYERS.items():
        layer = getattr(poso_keras, name)(**config)
        layer(*args)
        randomize(layer)
        np.savez(tmp_path / f"{name}.weights.npz", *layer.get_weights())
        expected[name] = (list(named_weights(layer)), as_arrays(layer(*args)))
    root = str(Path(poso_keras.__file__).parents[1])
    other = {"TF_USE_LEGACY_KERAS": "1" if KERAS_3 else "0", "PYTHONPATH": root}
    command = [sys.executable, __file__, str(tmp_path)]
    subprocess.run(command, env={**os.environ, **other}, check=True)
    assert (tmp_path / "keras_3").read_text() == str(not KERAS_3)
    for name, (weight_names, outputs) in expected.items():
        with np.load(tmp_path / f"{name}.outputs.npz") as result:
            assert list(result["names"]) == weight_names
            np.testing.assert_allclose(result["outputs"], outputs, rtol=1e-5, atol=1e-6)


def imported_modules(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    return plain | {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}


def test_tensorflow_is_imported_for_tf_keras_alone():
    """Under Keras 3 another backend may run, without TensorFlow installed."""
    importers = {
        path.name
        for path in Path(poso_keras.__file__).parent.rglob("*.py")
        if any(m.split(".")[0] == "tensorflow" for m in imported_modules(path))
    }
    assert importers == {"_legacy_layer.py", "_tensorflow_ops.py"}
    assert ("poso_keras._tensorflow_ops" in sys.modules) is not KERAS_3


if __name__ == "__main__":
    run_layers(Path(sys.argv[1]))
