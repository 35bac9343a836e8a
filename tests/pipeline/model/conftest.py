"""The exported model as each signature reads it, and a small one of random weights."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.export import raw_columns
from serving.server.models.saved_model import load_version
from tests.helpers.exported_requests import TASKS, impressions
from tests.helpers.random_model import new_model, random_batch, shuffled_weights


@pytest.fixture(scope="module")
def version(exported_dir):
    return load_version(str(exported_dir), 7)


@pytest.fixture(scope="module")
def loaded(exported_dir):
    return tf.saved_model.load(str(exported_dir))


@pytest.fixture(scope="module")
def signatures(loaded):  # its functions refer to it weakly
    return loaded.signatures


@pytest.fixture(scope="module")
def columns(small_transform):
    return raw_columns(small_transform.config)


@pytest.fixture(scope="module")
def expected(small_model, small_transform):
    """Scores [rows, tasks] of `impressions` by the model that was exported."""
    scores = small_model.probabilities(small_transform.apply(*impressions()))
    stacked = np.stack([scores[task].numpy() for task in TASKS], axis=1)
    assert np.ptp(stacked, axis=0).min() > 0.01
    return stacked


@pytest.fixture(scope="module")
def poso():
    model, config = new_model()
    model(random_batch(config))
    shuffled_weights(model)
    return model, config
