"""What the gates of a ranking model read."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from pipeline.config.codes import CodeInput, Encoding
from pipeline.model.ranking_model import RankingModel
from tests.helpers.random_model import (
    BATCH,
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
        assert made[module].shape == (BATCH, sum(widths[name] for name in code))
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
    check_shared_equals_tiled(model, config)


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
    check_shared_equals_tiled(model, config)


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
