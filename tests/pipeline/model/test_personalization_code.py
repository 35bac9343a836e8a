"""What the gates of a ranking model read."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from pipeline.config.codes import CodeInput, Encoding
from pipeline.model.ranking_model import RankingModel
from tests.helpers.random_model import (
    BATCH,
    by_example,
    check_shared_equals_tiled,
    embedding_rows,
    new_model,
    random_batch,
    shuffled_weights,
)
from tests.helpers.small_transform import settings_with

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
        width = sum(widths[name] for name in code)
        assert by_example(made[module]).shape == (BATCH, width)
    shuffled_weights(model)
    check_shared_equals_tiled(model, config)


ENCODINGS = [("avc", e) for e in get_args(Encoding)] + [
    ("is_new_user", "thermometer"),
    ("video_age", "embedded"),
]


@pytest.mark.parametrize(("name", "encoding"), ENCODINGS)
def test_every_encoding_of_a_bucket(name, encoding):
    code = {"input": name, "encoding": encoding}
    model, config = new_model(personalization_code=[code])
    batch = random_batch(config)
    made = by_example(model.personalization_code(batch)["mlp"])
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
    check_shared_equals_tiled(model, config)


TABLES = {  # codes of a module: how many distinct ones there are, None if not few
    ("avc",): 17,
    ("avc", "is_new_user"): 51,
    ("video_age",): 14,
    ("constant",): 17,
    ("avc", "video_age"): None,
    ("avc", "user_id"): None,
    ("is_new_user", "all_features"): None,
}


@pytest.mark.parametrize("names", TABLES, ids="+".join)
def test_codes_of_buckets_are_made_once_each_and_gates_by_code(names):
    model, config = new_model(personalization_code=names)
    batch = random_batch(config)
    parts = model.embedding(batch)
    of_one = [  # a single example has its code alone
        model.personalization_code(
            {n: v[i : i + 1] for n, v in batch.items()},
            [part[i : i + 1] for part in parts],
        )
        for i in range(BATCH)
    ]
    for module, made in model.personalization_code(batch, parts).items():
        assert (None if made.rows is None else len(made.codes)) == TABLES[names]
        assert all(one[module].rows is None for one in of_one)
        expected = np.concatenate([one[module].codes for one in of_one])
        np.testing.assert_allclose(by_example(made), expected, rtol=1e-6)
    model(batch)
    shuffled_weights(model)
    logits = model(batch)
    for i in range(BATCH):
        one = model({n: v[i : i + 1] for n, v in batch.items()})
        for task, value in one.items():
            np.testing.assert_allclose(logits[task][i], value[0], rtol=1e-4, atol=1e-5)


def test_an_embedded_code_moves_the_rows_of_a_batch_alone():
    code = {"input": "avc", "encoding": "embedded"}
    model, config = new_model(personalization_code=[code])
    made = model.personalization_code(random_batch(config))
    assert all(code.rows is None for code in made.values())


def test_modules_may_read_codes_of_their_own(poso):
    codes = {"attention": ["is_new_user"], "mmoe": ["user_id", "avc"]}
    model, config = new_model(module_codes=codes)
    batch = random_batch(config)
    model(batch)
    made = model.personalization_code(batch)
    widths = {module: code.codes.shape[-1] for module, code in made.items()}
    assert widths == {"mlp": 3, "attention": 3, "mmoe": 7, "experts": 3}
    tower = model.towers["like"].dense_layers[0].gate
    gates = {"mlp": tower, "mmoe": model.mmoe.gate}
    gates["attention"] = model.attentions["history_tags"].module_gate
    for module, gate in gates.items():
        assert gate.weights[0].shape[0] == widths[module]
    shuffled_weights(model)
    check_shared_equals_tiled(model, config)


def test_avc_enters_the_code_in_the_order_of_its_buckets(poso):
    model, config = poso
    batch = {**random_batch(config), "avc": tf.constant([0, 1, 8, 9, 16, 16])}
    code = by_example(model.personalization_code(batch)["mlp"])
    z = np.array([0.0, -1.875, -0.125, 0.125, 1.875, 1.875])  # 0 is missing
    expected = np.stack([z, z * (z > 0), -z * (z < 0)], axis=1)
    np.testing.assert_array_equal(code, expected)


def test_a_code_of_one_user_has_one_row(poso):
    model, config = poso
    batch = {n: v[:1] for n, v in random_batch(config).items()}
    user_alone = {**batch, "video_id": tf.range(BATCH)}
    codes, rows = model.personalization_code(user_alone)["experts"]
    assert codes.shape == (1, 3)
    assert rows is None


@pytest.mark.parametrize("quantiles", [3, 40])
def test_every_quantile_of_avc_has_a_row_and_a_code(quantiles):
    config = settings_with(transform={"avc_quantiles": quantiles})
    model = RankingModel(config, embedding_rows(config))
    batch = {
        **random_batch(config),
        "avc": tf.constant([0, 1, 2, quantiles - 1, quantiles, quantiles], tf.int64),
    }
    assert all(np.isfinite(value).all() for value in model(batch).values())
    z = by_example(model.personalization_code(batch)["mlp"]).numpy()[1:, 0]
    ends = (quantiles - 1) / 2 / (quantiles / 4)
    np.testing.assert_allclose(z[[0, -1]], [-ends, ends], rtol=1e-6)
