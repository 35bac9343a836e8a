"""Two logical CPUs for the distribution tests, and this folder's own helper."""

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tensorflow as tf

# Another folder's tests may have started TensorFlow already: then there is one.
with contextlib.suppress(RuntimeError):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )


@pytest.fixture(autouse=True)
def _seed():
    from poso_keras._backend import keras

    keras.utils.set_random_seed(7)
