"""The backend's settings, and this folder's own helpers."""

import contextlib

import pytest

from poso_keras._backend import keras
from tests.helpers.backends import ON_TENSORFLOW, gradients_recorded

if ON_TENSORFLOW:
    import tensorflow as tf

    # Two logical CPUs for the distribution tests. Another folder's tests may have
    # started TensorFlow already: then there is one.
    with contextlib.suppress(RuntimeError):
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * 2,
        )
else:
    # Strategies, graphs and ragged tensors are TensorFlow's.
    collect_ignore = ["test_distribution.py", "test_masks_in_graphs.py"]


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(7)


@pytest.fixture(autouse=True)
def _outputs_are_arrays():
    with gradients_recorded(False):
        yield
