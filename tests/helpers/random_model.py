"""A small ranking model and random tensors, as the Transform would make them."""

import numpy as np
import tensorflow as tf
import tf_keras

from pipeline.model.embeddings import GAP_BUCKETS
from pipeline.model.ranking_model import RankingModel
from preprocessing.contract.column_names import USER_GROUP_INDEX, USER_GROUPS
from preprocessing.transform.input_specs import HISTORY_GAP, input_specs
from tests.helpers.small_transform import settings_with

BATCH = 6
ROWS = 9
TASKS = ("long_view", "like")


def embedding_rows(config):
    specs = input_specs(config.features, config.transform)
    rows = {spec.table: ROWS for spec in specs if spec.table}
    return {**rows, GAP_BUCKETS: len(config.transform.gap_hours_boundaries) + 2}


def new_model(**model):
    config = settings_with(model={**settings_with().model.model_dump(), **model})
    tf_keras.utils.set_random_seed(3)
    return RankingModel(config, embedding_rows(config)), config


def random_batch(config, rows=BATCH, seed=0):
    """Transformed tensors with histories of every length, 0 among them."""
    rng = np.random.default_rng(seed)
    lengths = np.arange(rows) % (config.features.history_length + 1)
    batch = {}
    for spec in input_specs(config.features, config.transform):
        if spec.kind == "numeric":
            batch[spec.name] = rng.normal(size=rows).astype(np.float32)
        elif spec.kind == "bucket":
            batch[spec.name] = rng.integers(0, spec.bucket_values, rows)
        elif spec.kind == "id":
            batch[spec.name] = rng.integers(0, ROWS, rows)
        else:
            batch[spec.name] = rng.integers(1, ROWS, [rows, spec.length])
    known = np.arange(config.features.history_length) < lengths[:, None]
    for name in batch:
        if name.startswith("history_"):
            batch[name] = np.where(known, batch[name], 0)
    batch[HISTORY_GAP] = np.where(known, rng.integers(1, 11, known.shape), 0)
    batch[USER_GROUP_INDEX] = np.arange(rows) % (len(USER_GROUPS) + 1)
    for task in TASKS:
        batch[task] = rng.integers(0, 2, rows).astype(np.float32)
    return {name: tf.constant(value) for name, value in batch.items()}


def shuffled_weights(model, seed=6):
    """Gives every weight a random value: fresh biases are zero, and hide mistakes."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if variable.dtype.is_floating:
            variable.assign(rng.normal(scale=0.3, size=variable.shape))


def check_shared_equals_tiled(model, config):
    """A user given once scores as one that is repeated for each candidate."""
    sides = {
        spec.name: spec.side for spec in input_specs(config.features, config.transform)
    }
    candidates = random_batch(config, seed=1)
    # A history in the middle of its lengths.
    user = {n: v[2:3] for n, v in random_batch(config, seed=2).items()}
    shared, tiled = {}, {}
    for name, value in candidates.items():
        one = sides.get(name, "user") in ("user", "context")
        shared[name] = user[name] if one else value
        tiled[name] = tf.repeat(user[name], BATCH, axis=0) if one else value
    by_one = model(shared, shared_user=True)
    by_all = model(tiled)
    for task in TASKS:
        assert by_one[task].shape == (BATCH,)
        np.testing.assert_allclose(by_one[task], by_all[task], atol=1e-6)
        assert np.ptp(by_all[task]) > 1e-4


def by_example(code):
    """The code of each example, [batch, width], of a `ModuleCode`."""
    return code.codes if code.rows is None else tf.gather(code.codes, code.rows)
