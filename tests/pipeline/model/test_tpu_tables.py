"""Large tables in TFRS' layer, which looks up on the CPU where there is no TPU.

What a TPU itself does with them cannot be tested here.
"""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.model.ranking_model import RankingModel
from pipeline.model.tpu_tables import inputs_of_large_tables
from pipeline.training.optimizers.build import (
    build_optimizer,
    create_optimizer_variables,
)
from preprocessing.transform.input_specs import input_specs
from tests.helpers.random_model import (
    ROWS,
    embedding_rows,
    random_batch,
    shuffled_weights,
)
from tests.helpers.small_transform import settings_with

LARGE = ("user_id", "video_id")
ON_TPU = {"strategy": {"kind": "tpu"}, "embedding": {"tpu_min_rows": ROWS}}


def configured(**training):
    base = settings_with().training.model_dump()
    return settings_with(training={**base, **training}, model={"embedding_l2": 0.1})


def rows(config):
    return {**embedding_rows(config), **dict.fromkeys(LARGE, ROWS + 1)}


def made(config):
    tf_keras.utils.set_random_seed(3)
    model = RankingModel(config, rows(config))
    model(random_batch(config))
    return model


def tables(model):
    """Every table's weights, by its name."""
    return {
        name: weight
        for weight in model.embedding.trainable_weights
        for name in [weight.name.split(":")[0].split("/")[-1], weight.name]
        if name.endswith("_table")
    }


@pytest.fixture(scope="module")
def models():
    """A model with TFRS' layer and one with Keras' alone, of equal weights."""
    config = configured()
    on_tpu, plain = made(configured(**ON_TPU)), made(config)
    shuffled_weights(plain)
    for name, weight in tables(on_tpu).items():
        weight.assign(plain.embedding.tables[name.removesuffix("_table")].embeddings)
    large = {f"{name}_table" for name in LARGE}
    assert set(tables(on_tpu)) == large
    of_tpu = {w.ref() for w in tables(on_tpu).values()}
    of_plain = {plain.embedding.tables[name].embeddings.ref() for name in LARGE}
    rest = [
        [v for v in model.trainable_variables if v.ref() not in left_out]
        for model, left_out in ((on_tpu, of_tpu), (plain, of_plain))
    ]
    for one, other in zip(*rest, strict=True):
        one.assign(other)
    return on_tpu, plain, config


def test_the_same_weights_give_the_same_logits_and_penalty(models):
    on_tpu, plain, config = models
    batch = random_batch(config, seed=7)
    for task, expected in plain(batch).items():
        np.testing.assert_allclose(on_tpu(batch)[task], expected, atol=1e-6)
    assert float(sum(plain.losses)) > 0
    np.testing.assert_allclose(sum(on_tpu.losses), sum(plain.losses), rtol=1e-5)


def test_an_input_and_its_history_share_a_table(models):
    on_tpu, _, config = models
    batch = random_batch(config, seed=7)
    before = on_tpu(batch)["like"].numpy()
    table = tables(on_tpu)["video_id_table"]
    kept = table.numpy()
    in_histories = set(np.unique(batch["history_video_ids"])) - {0}
    [row, *_] = sorted(in_histories - set(np.unique(batch["video_id"])))
    table.scatter_nd_add([[row]], [[1.0] * kept.shape[1]])
    after = on_tpu(batch)["like"].numpy()
    table.assign(kept)
    has_it = (batch["history_video_ids"].numpy() == row).any(axis=1)
    assert ((np.abs(after - before) > 1e-6) == has_it).all()


def test_gradients_of_large_tables_stay_sparse_and_move_the_rows_in_use(models):
    on_tpu, _, config = models
    batch = random_batch(config)
    on_tpu.compile(optimizer=build_optimizer(config.training, on_tpu))
    create_optimizer_variables(on_tpu)
    table = tables(on_tpu)["user_id_table"]
    before = table.numpy()
    with tf.GradientTape() as tape:
        loss = on_tpu.compute_loss(batch, training=True)
    variables = on_tpu.trainable_variables
    pairs = list(zip(tape.gradient(loss, variables), variables, strict=True))
    [of_table] = [g for g, v in pairs if v.ref() == table.ref()]
    assert isinstance(of_table, tf.IndexedSlices)
    on_tpu.optimizer.apply_gradients(pairs)
    moved = np.abs(table.numpy() - before).max(axis=1) > 0
    used = np.isin(np.arange(len(before)), batch["user_id"].numpy())
    np.testing.assert_array_equal(moved, used)


@pytest.mark.parametrize(
    ("strategy", "large"), [("tpu", True), ("none", False), ("mirrored", False)]
)
def test_tables_with_many_rows_are_large_on_tpus_alone(strategy, large):
    config = configured(strategy={"kind": strategy})
    specs = input_specs(config.features, config.transform)
    limit = config.training.embedding.tpu_min_rows
    sizes = dict.fromkeys(embedding_rows(config), limit)
    sizes |= dict.fromkeys(LARGE, limit + 1)
    found = inputs_of_large_tables(specs, sizes, config.training)
    expected = {"user_id", "video_id", "history_video_ids"} if large else set()
    assert {spec.name for spec in found} == expected
