"""The ranking model on small random tensors, as the Transform would make them."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.model.ranking_model import RankingModel
from preprocessing.transform.input_specs import HISTORY_GAP, input_specs
from tests.helpers.random_model import (
    BATCH,
    TASKS,
    check_shared_equals_tiled,
    embedding_rows,
    new_model,
    random_batch,
    shuffled_weights,
)


@pytest.mark.parametrize("rows", [1, 5])
def test_one_logit_a_task_and_row(poso, rows):
    model, config = poso
    logits = model(random_batch(config, rows))
    assert tuple(logits) == TASKS
    for value in logits.values():
        assert value.shape == (rows,)
        assert value.dtype == tf.float32
    assert len(set(np.round(logits["like"].numpy(), 6))) == rows


def test_probabilities_are_the_sigmoid_of_the_logits(poso):
    model, config = poso
    batch = random_batch(config)
    logits, scores = model(batch), model.probabilities(batch)
    for task in TASKS:
        expected = 1 / (1 + np.exp(-logits[task].numpy().astype(np.float64)))
        np.testing.assert_allclose(scores[task], expected, atol=1e-6)


def test_rows_do_not_see_each_other(poso):
    model, config = poso
    batch = random_batch(config)
    together = model(batch)
    alone = [
        model({name: value[i : i + 1] for name, value in batch.items()})
        for i in range(BATCH)
    ]
    for task in TASKS:
        by_row = [logits[task].numpy()[0] for logits in alone]
        np.testing.assert_allclose(together[task], by_row, atol=1e-5)


def test_plain_has_all_weights_but_the_gates(poso):
    model, config = poso
    baseline = RankingModel(config.plain(), embedding_rows(config))
    baseline(random_batch(config))

    def tables(of):
        return [v.shape for v in of.embedding.trainable_variables]

    assert tables(baseline) == tables(model)
    assert set(baseline.towers) == set(model.towers)
    assert baseline.count_params() < model.count_params()


def test_a_plain_model_without_input_codes_does_not_read_the_code():
    """A change of AVC's embedding row is all that such a model sees of AVC."""
    _, config = new_model(input_codes=())
    for settings, reads in ((config, True), (config.plain(), False)):
        assert reads_avc(settings) == reads


def test_a_plain_model_reads_the_input_code():
    _, config = new_model()
    assert reads_avc(config.plain())


def test_the_control_does_not_read_the_code():
    _, config = new_model(input_codes=())
    assert not reads_avc(config.control())


def reads_avc(config):
    """Whether AVC matters to a model whose embeddings of it are all zero."""
    model = RankingModel(config, embedding_rows(config))
    batch = random_batch(config)
    model(batch)
    shuffled_weights(model)
    table = model.embedding.tables["avc"].embeddings
    table.assign(tf.zeros_like(table))
    before = model(batch)["like"]
    after = model({**batch, "avc": (batch["avc"] + 5) % 17})["like"]
    return np.abs(before - after).max() > 1e-4


@pytest.mark.parametrize("gated", [True, False])
def test_a_shared_user_gives_what_a_tiled_one_does(gated):
    model, config = new_model(poso=dict.fromkeys(("mlp", "attention", "mmoe"), gated))
    model(random_batch(config))
    shuffled_weights(model)
    check_shared_equals_tiled(model, config)


def test_a_shared_user_works_for_one_candidate(poso):
    model, config = poso
    batch = random_batch(config, rows=1)
    by_one, by_all = model(batch, shared_user=True), model(batch)
    for task in TASKS:
        np.testing.assert_allclose(by_one[task], by_all[task], atol=1e-6)


@pytest.mark.parametrize("gated", [True, False])
def test_empty_histories_give_finite_logits_and_gradients(gated):
    model, config = new_model(poso=dict.fromkeys(("mlp", "attention", "mmoe"), gated))
    batch = random_batch(config)
    for name in [n for n in batch if n.startswith("history_")]:
        batch[name] = tf.zeros_like(batch[name])
    for name in ("video_tags", "topics"):
        batch[name] = tf.zeros_like(batch[name])
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    assert np.isfinite(loss)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if gradient is not None:
            dense = tf.convert_to_tensor(gradient)
            assert np.isfinite(dense).all(), variable.name


def test_what_lies_behind_a_historys_end_is_not_read(poso):
    model, config = poso
    batch = random_batch(config)
    before = model(batch)
    gaps = batch[HISTORY_GAP].numpy()
    padding = batch["history_video_ids"].numpy() == 0
    assert padding.any()
    after = model({**batch, HISTORY_GAP: tf.constant(np.where(padding, 7, gaps))})
    for task in TASKS:
        np.testing.assert_allclose(after[task], before[task], atol=1e-6)


def test_the_loss_is_the_weighted_sum_of_the_tasks_cross_entropies(poso):
    model, config = poso
    batch = random_batch(config)
    logits = model(batch)
    expected = 0.0
    for task, weight in (("long_view", 1.0), ("like", 0.5)):
        entropies = []
        for y, z in zip(batch[task].numpy(), logits[task].numpy(), strict=True):
            p = 1 / (1 + np.exp(-np.float64(z)))
            entropies.append(-np.log(p) if y else -np.log(1 - p))
        expected += weight * np.mean(entropies)
    for training in (True, False):
        loss = model.compute_loss(batch, training=training)
        np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_the_l2_penalty_is_on_the_rows_of_ids_in_use():
    model, config = new_model(embedding_l2=0.5)
    batch = random_batch(config)
    model(batch)
    shuffled_weights(model)
    model(batch)
    expected = 0.0
    for spec in input_specs(config.features, config.transform):
        if not spec.table:
            continue
        table = model.embedding.tables[spec.table].embeddings.numpy()
        ids = np.ravel(batch[spec.name])
        if spec.kind != "id":  # of lists 0 is the padding
            ids = ids[ids > 0]
        expected += 0.5 * np.mean([np.sum(table[i] ** 2) for i in ids])
    np.testing.assert_allclose(sum(model.losses), expected, rtol=1e-5)


def one_input(model, config):
    """Sets all tables to 0, but for that of the videos, whose row i is all i."""
    for name, table in model.embedding.tables.items():
        rows, width = table.embeddings.shape
        value = np.zeros((rows, width), np.float32)
        if name == "video_id":
            value += np.arange(rows)[:, None]
        table.embeddings.assign(value)
    return config.model.embedding_dim


def test_the_l2_penalty_by_hand():
    """Two candidates, 1 and 0 (missing), and histories of [2, 3, padding] and none."""
    model, config = new_model(embedding_l2=0.5)
    batch = random_batch(config, rows=2)
    model(batch)
    width = one_input(model, config)
    history = np.zeros(batch["history_video_ids"].shape, np.int64)
    history[0, :2] = 2, 3
    batch["video_id"] = tf.constant([1, 0], tf.int64)
    batch["history_video_ids"] = tf.constant(history)
    model(batch)
    expected = 0.5 * width * ((1 + 0) / 2 + (4 + 9) / 2)
    assert float(sum(model.losses)) == pytest.approx(expected)


@pytest.mark.e2e
def test_the_l2_penalty_of_replicas_with_unequal_shares_is_that_of_one_device():
    script = """
        import pipeline
        import tensorflow as tf
        from pipeline.config import StrategyConfig
        from pipeline.model.ranking_model import RankingModel
        from pipeline.model.shares import share
        from pipeline.training.strategies.build import build_strategy
        from tests.helpers.random_model import embedding_rows, new_model, random_batch
        from tests.helpers.random_model import shuffled_weights

        strategy = build_strategy(StrategyConfig(kind="mirrored", replicas=2))
        alone, config = new_model(embedding_l2=0.5)
        batch = random_batch(config, rows=5)
        alone(batch)
        shuffled_weights(alone)
        with strategy.scope():
            model = RankingModel(config, embedding_rows(config))
            model(batch)
        for weight, value in zip(model.variables, alone.variables, strict=True):
            weight.assign(value)

        def penalty(one):
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            one.compute_loss(share(batch, replica, 2) if one is model else batch)
            return tf.add_n(one.losses)

        @tf.function(autograph=False)
        def of_replicas():
            return strategy.reduce("SUM", strategy.run(penalty, (model,)), axis=None)

        print("penalties", float(of_replicas()), float(penalty(alone)))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    [line] = [row for row in run.stdout.splitlines() if row.startswith("penalties")]
    shared, alone = map(float, line.split()[1:])
    assert alone > 0
    assert shared == pytest.approx(alone, rel=1e-5)


def test_a_replica_without_rows_has_no_penalty_and_gradients_of_zero():
    model, config = new_model(embedding_l2=0.5)
    model(random_batch(config))
    nothing = {name: value[:0] for name, value in random_batch(config).items()}
    with tf.GradientTape() as tape:
        loss = model.compute_loss(nothing, training=True) + sum(model.losses)
    assert float(loss) == 0
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.all(tf.convert_to_tensor(gradient).numpy() == 0)


def test_without_l2_there_is_no_penalty(poso):
    model, config = poso
    model(random_batch(config))
    assert model.losses == []


@pytest.fixture
def bfloat16():
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    tf_keras.mixed_precision.set_global_policy("float32")


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("code", [("avc",), ("all_features", "user_id")])
def test_mixed_precision_computes_in_half_and_answers_in_float32(code):
    model, config = new_model(personalization_code=code)
    batch = random_batch(config)
    logits = model(batch)
    assert {value.dtype for value in logits.values()} == {tf.float32}
    assert {v.dtype for v in model.trainable_variables} == {tf.float32}
    assert {p.dtype for p in model.embedding(batch)} == {tf.bfloat16}
    assert np.isfinite(model.compute_loss(batch, training=True))


@pytest.mark.usefixtures("bfloat16")
def test_mixed_precision_does_not_round_what_the_l2_penalty_divides_by():
    model, config = new_model(embedding_l2=0.5)
    batch = random_batch(config, rows=301)  # 302 in bfloat16
    model(batch)
    tables = [s for s in input_specs(config.features, config.transform) if s.table]
    for spec in tables:
        table = model.embedding.tables[spec.table].embeddings
        table.assign(tf.fill(table.shape, 0.5))
    model(batch)
    expected = 0.5 * len(tables) * config.model.embedding_dim * 0.25
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_dropout_is_for_training_alone():
    model, config = new_model(dropout=0.5)
    batch = random_batch(config, rows=40)
    np.testing.assert_array_equal(model(batch)["like"], model(batch)["like"])
    trained = model(batch, training=True)["like"]
    assert np.abs(trained - model(batch)["like"]).max() > 0


@pytest.fixture(scope="module")
def trained():
    """Losses of 8 steps on one batch, and the weights that did not move."""
    model, config = new_model()
    batch = random_batch(config)
    model(batch)
    before = [v.numpy() for v in model.trainable_variables]
    model.compile(optimizer=tf_keras.optimizers.Adam(0.03), run_eagerly=True)
    data = tf.data.Dataset.from_tensors(batch).repeat(8)
    first = float(model.compute_loss(batch))
    model.fit(data, verbose=0)
    still = [
        v.name
        for v, old in zip(model.trainable_variables, before, strict=True)
        if np.array_equal(v.numpy(), old)
    ]
    return first, float(model.compute_loss(batch)), still


@pytest.mark.e2e
def test_training_steps_lower_the_loss_of_a_fixed_batch(trained):
    first, last, _ = trained
    assert last < 0.8 * first


@pytest.mark.e2e
def test_training_reaches_every_weight(trained):
    assert trained[2] == []
