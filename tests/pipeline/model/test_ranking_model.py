"""The ranking model on small random tensors, as the Transform would make them."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import poso_keras
from pipeline.config.codes import CodeInput, Encoding
from pipeline.model.ranking_model import RankingModel
from preprocessing.transform.input_specs import HISTORY_GAP, input_specs
from tests.helpers.random_model import (
    BATCH,
    TASKS,
    embedding_rows,
    new_model,
    random_batch,
    shuffled_weights,
)
from tests.helpers.small_transform import settings_with

USER_SIDE = ("user", "context")


@pytest.fixture(scope="module")
def poso():
    model, config = new_model()
    model(random_batch(config))
    shuffled_weights(model)
    return model, config


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


SWITCHES = {
    "mlp": ("towers", poso_keras.POSOMLP, poso_keras.MLP),
    "attention": (
        "attentions",
        poso_keras.POSOMultiHeadAttention,
        poso_keras.SequenceAttention,
    ),
    "mmoe": ("mmoe", poso_keras.POSOMMoE, poso_keras.MMoE),
}


def kinds(model, attribute):
    layers = getattr(model, attribute)
    return {type(v) for v in (layers.values() if attribute != "mmoe" else [layers])}


@pytest.mark.parametrize(
    "on", [(), ("mlp",), ("attention",), ("mmoe",), ("mlp", "attention", "mmoe")]
)
def test_each_module_is_switched_by_itself(on):
    model, config = new_model(poso={name: name in on for name in SWITCHES})
    for name, (attribute, gated, plain) in SWITCHES.items():
        assert kinds(model, attribute) == {gated if name in on else plain}
    logits = model(random_batch(config))
    assert all(np.isfinite(value).all() for value in logits.values())
    gates = [v.name for v in model.trainable_variables if "gate" in v.name.lower()]
    assert bool(gates) == bool(on)


@pytest.mark.parametrize("experts", [True, False])
def test_gates_are_on_the_experts_layers_by_option(experts):
    model, config = new_model(poso={"experts": experts})
    model(random_batch(config))
    units = [gate.units for gate in model.mmoe.layer_gates]
    assert units == ([2 * 6] if experts else [])  # two experts, 6 wide


def all_gates(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, poso_keras.PersonalizationGate)
    ]


def test_every_gate_is_made_as_the_configuration_says():
    gates = {"hidden_units": 300, "output_variance": 2.0}
    model, config = new_model(gates={**gates, "kernel_initializer": "glorot_uniform"})
    model(random_batch(config))
    made = all_gates(model)
    # Two a history, the mixture's, its layer's and one a tower.
    assert len(made) == 3 * 2 + 1 + 1 + 2
    for gate in made:
        w1, _, w2, _ = gate.get_weights()
        assert np.abs(w1).max() <= np.sqrt(6 / (3 + 300))
        assert w1.var() == pytest.approx(2 / (3 + 300), rel=0.2)
        assert w2.var() == pytest.approx(2.0 / 300, rel=0.3)


@pytest.mark.parametrize(
    ("code", "variance"),
    [
        ("avc", 2 / 3),  # he_normal
        ("constant", 2 / 1),
        ({"input": "avc", "encoding": "thermometer"}, 2 / (15 + 400)),  # glorot
    ],
    ids=str,
)
def test_the_first_layer_of_a_gate_suits_its_code(code, variance):
    gates = {"hidden_units": 400}
    model, config = new_model(personalization_code=[code], gates=gates)
    model(random_batch(config))
    for gate in all_gates(model):
        assert gate.get_weights()[0].var() == pytest.approx(variance, rel=0.25)


def test_input_codes_add_their_columns_and_nothing_else():
    widths = {}
    for codes in ((), ("avc",), ("avc", "video_age")):
        model, config = new_model(input_codes=codes)
        baseline = RankingModel(config.plain(), embedding_rows(config))
        for made in (model, baseline):
            made(random_batch(config))
        assert baseline.input_codes.weights == []
        widths[codes] = {m.mmoe.task_kernel.shape[1] for m in (model, baseline)}
    [without], [one], [two] = widths.values()
    assert (one - without, two - one) == (3, 3)


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


CODES = [(code,) for code in get_args(CodeInput)] + [
    ("avc", "is_new_user"),
    ("user_id", "video_age"),
    ("avc", "all_features", "video_id"),
    ("avc", "constant"),
]
WIDTHS = {
    "avc": 3,
    "hours_since_first_launch": 3,
    "is_new_user": 3,
    "user_id": 4,
    "video_id": 4,
    "video_age": 3,
    "constant": 1,
}


@pytest.mark.parametrize("code", CODES, ids="+".join)
def test_every_personalization_code(code):
    model, config = new_model(personalization_code=code)
    batch = random_batch(config)
    assert all(np.isfinite(v).all() for v in model(batch).values())
    parts = model.embedding(batch)
    widths = {**WIDTHS, "all_features": sum(part.shape[-1] for part in parts)}
    made = model.personalization_code(batch, parts)
    for module in ("mlp", "attention", "mmoe", "experts"):
        assert made[module].shape == (BATCH, sum(widths[name] for name in code))
    shuffled_weights(model)
    shared_equals_tiled(model, config)


ENCODINGS = [("avc", e) for e in get_args(Encoding)] + [
    ("is_new_user", "thermometer"),
    ("video_age", "embedded"),
]


@pytest.mark.parametrize(("name", "encoding"), ENCODINGS)
def test_every_encoding_of_a_bucket(name, encoding):
    code = {"input": name, "encoding": encoding}
    model, config = new_model(personalization_code=[code])
    batch = random_batch(config)
    made = model.personalization_code(batch)["mlp"]
    buckets = {"avc": 17, "is_new_user": 3, "video_age": 14}[name]
    widths = {
        "ordered": 3,
        "thermometer": buckets - 2,
        "numeric": 1,
        "one_hot": buckets,
        "embedded": 2,
    }
    assert made.shape == (BATCH, widths[encoding])
    model(batch)
    shuffled_weights(model)
    shared_equals_tiled(model, config)


def test_modules_may_read_codes_of_their_own(poso):
    codes = {"attention": ["is_new_user"], "mmoe": ["user_id", "avc"]}
    model, config = new_model(module_codes=codes)
    batch = random_batch(config)
    model(batch)
    made = model.personalization_code(batch)
    widths = {module: code.shape[-1] for module, code in made.items()}
    assert widths == {"mlp": 3, "attention": 3, "mmoe": 7, "experts": 3}
    tower = model.towers["like"].dense_layers[0].gate
    gates = {"mlp": tower, "mmoe": model.mmoe.gate}
    gates["attention"] = model.attentions["history_tags"].module_gate
    for module, gate in gates.items():
        assert gate.weights[0].shape[0] == widths[module]
    shuffled_weights(model)
    shared_equals_tiled(model, config)


def test_avc_enters_the_code_in_the_order_of_its_buckets(poso):
    model, config = poso
    batch = {**random_batch(config), "avc": tf.constant([0, 1, 8, 9, 16, 16])}
    code = model.personalization_code(batch)["mlp"]
    z = np.array([0.0, -1.875, -0.125, 0.125, 1.875, 1.875])  # 0 is missing
    expected = np.stack([z, z * (z > 0), -z * (z < 0)], axis=1)
    np.testing.assert_array_equal(code, expected)


def test_a_code_of_one_user_has_one_row(poso):
    model, config = poso
    batch = {n: v[:1] for n, v in random_batch(config).items()}
    user_alone = {**batch, "video_id": tf.range(BATCH)}
    assert model.personalization_code(user_alone)["experts"].shape == (1, 3)


def test_the_input_code_is_the_scaled_code(poso):
    model, config = poso
    batch = random_batch(config)
    [code] = model.input_codes(batch)
    np.testing.assert_allclose(code, 0.2 * model.personalization_code(batch)["mlp"])


@pytest.mark.parametrize("codes", [("video_age",), ("avc", "video_age"), ()])
def test_input_codes_of_users_and_videos(codes):
    model, config = new_model(input_codes=codes)
    batch = random_batch(config)
    model(batch)
    assert len(model.input_codes(batch)) == len(codes)
    shuffled_weights(model)
    shared_equals_tiled(model, config)


@pytest.mark.parametrize("quantiles", [3, 40])
def test_every_quantile_of_avc_has_a_row_and_a_code(quantiles):
    config = settings_with(transform={"avc_quantiles": quantiles})
    model = RankingModel(config, embedding_rows(config))
    batch = {
        **random_batch(config),
        "avc": tf.constant([0, 1, 2, quantiles - 1, quantiles, quantiles], tf.int64),
    }
    assert all(np.isfinite(value).all() for value in model(batch).values())
    z = model.personalization_code(batch)["mlp"].numpy()[1:, 0]
    ends = (quantiles - 1) / 2 / (quantiles / 4)
    np.testing.assert_allclose(z[[0, -1]], [-ends, ends], rtol=1e-6)


def shared_equals_tiled(model, config):
    sides = {
        spec.name: spec.side for spec in input_specs(config.features, config.transform)
    }
    candidates = random_batch(config, seed=1)
    # A history in the middle of its lengths.
    user = {n: v[2:3] for n, v in random_batch(config, seed=2).items()}
    shared, tiled = {}, {}
    for name, value in candidates.items():
        one = sides.get(name, "user") in USER_SIDE
        shared[name] = user[name] if one else value
        tiled[name] = tf.repeat(user[name], BATCH, axis=0) if one else value
    by_one = model(shared, shared_user=True)
    by_all = model(tiled)
    for task in TASKS:
        assert by_one[task].shape == (BATCH,)
        np.testing.assert_allclose(by_one[task], by_all[task], atol=1e-6)
        assert np.ptp(by_all[task]) > 1e-4


@pytest.mark.parametrize("gated", [True, False])
def test_a_shared_user_gives_what_a_tiled_one_does(gated):
    model, config = new_model(poso=dict.fromkeys(SWITCHES, gated))
    model(random_batch(config))
    shuffled_weights(model)
    shared_equals_tiled(model, config)


def test_a_shared_user_works_for_one_candidate(poso):
    model, config = poso
    batch = random_batch(config, rows=1)
    by_one, by_all = model(batch, shared_user=True), model(batch)
    for task in TASKS:
        np.testing.assert_allclose(by_one[task], by_all[task], atol=1e-6)


@pytest.mark.parametrize("gated", [True, False])
def test_empty_histories_give_finite_logits_and_gradients(gated):
    model, config = new_model(poso=dict.fromkeys(SWITCHES, gated))
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
        squares = [np.sum(table[i] ** 2) for i in np.ravel(batch[spec.name])]
        expected += 0.5 * np.mean(squares)
    np.testing.assert_allclose(sum(model.losses), expected, rtol=1e-5)


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
