"""A small run as a user starts it, and all that is to be equal of two of them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_result import read_result
from tests.helpers.small_run import SETS

_CONFIG = Path(__file__).parents[2] / "configs" / "demo.yaml"


def run_arguments(log, out):
    """Arguments of `poso` for a run that gives the same each time."""
    places = ["--config", _CONFIG, "--data", log, "--out", out]
    return [
        "run",
        *map(str, places),
        *SETS,
        "--set",
        "training.deterministic=true",
    ]


def outcome(out):
    """The numbers of a finished run and the weights that it pushed."""
    result = read_result(RunPaths(out))
    numbers = {
        name: result.metrics[name] for name in ("data", "gauc", "blessed", "notes")
    }
    return numbers, _weights(result.pushed)


def assert_same_outcome(out, expected):
    """Holds a run against what `outcome` returned of another."""
    numbers, trained = outcome(out)
    assert numbers == expected[0]
    assert trained.keys() == expected[1].keys()
    for name, values in trained.items():
        np.testing.assert_array_equal(values, expected[1][name], err_msg=name)


def assert_whole_versions(out):
    """Whatever a server may find is a whole model."""
    for version in RunPaths(out).serving.glob("[0-9]*"):
        assert tf.saved_model.contains_saved_model(str(version)), version
        assert _weights(version)


def _weights(export):
    reader = tf.train.load_checkpoint(str(export / "variables" / "variables"))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in names if name.endswith("VALUE")}
