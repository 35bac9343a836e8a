"""What each input changes, and what the gates give, both computed by hand."""

import numpy as np
import pytest

from pipeline.training.diagnostics import gate_profile, input_sensitivity
from tests.helpers.small_transform import feature_row, settings_with


@pytest.fixture(scope="module")
def batches(small_transform):
    rows = [
        small_transform.apply(feature_row(user_id=user, avc=avc))
        for user, avc in (("u1", 3), ("u2", 40), ("nobody", 900))
    ]
    return [{n: np.concatenate([r[n] for r in rows]) for n in rows[0]}]


@pytest.fixture(scope="module")
def result(small_model, small_transform, batches):
    return input_sensitivity(small_model, small_transform.config, batches)


def last_activations(model, inputs) -> np.ndarray:
    """What the logits read, [batch, units]: from the logits' own calls."""
    seen = {}
    for name, layer in model.logits.items():
        call = layer.call

        def watched(x, name=name, call=call):
            seen[name] = np.asarray(x)
            return call(x)

        layer.call = watched
    try:
        model(inputs)
    finally:
        for layer in model.logits.values():
            del layer.call
    return np.concatenate([seen[name] for name in model.logits], axis=1)


@pytest.mark.parametrize("name", ["is_new_user", "user_id", "video_id"])
def test_change_is_that_of_a_table_of_zeros(small_model, batches, result, name):
    [batch] = batches
    table = small_model.embedding.tables[name]
    before, weights = last_activations(small_model, batch), table.get_weights()
    table.set_weights([np.zeros_like(w) for w in weights])
    masked = last_activations(small_model, batch)
    table.set_weights(weights)
    expected = np.abs(masked - before).mean(axis=0)
    assert expected.max() > 0
    np.testing.assert_allclose(result.change[name], expected, rtol=1e-4, atol=1e-6)


def test_the_codes_are_masked_with_the_embedding(
    small_model, small_transform, batches, result
):
    [batch] = batches
    table = small_model.embedding.tables["avc"]
    codes = [
        small_model.personalization_code.encoders["avc_ordered"],
        small_model.input_codes.encoders["avc_ordered"],
    ]
    before, weights = last_activations(small_model, batch), table.get_weights()
    table.set_weights([np.zeros_like(w) for w in weights])
    embedding_alone = last_activations(small_model, batch)
    for code in codes:
        code.call = lambda buckets, call=code.call: 0 * call(buckets)
    all_masked = last_activations(small_model, batch)
    for code in codes:
        del code.call
    table.set_weights(weights)
    expected = np.abs(all_masked - before).mean(axis=0)
    assert not np.allclose(expected, np.abs(embedding_alone - before).mean(axis=0))
    np.testing.assert_allclose(result.change["avc"], expected, rtol=1e-4, atol=1e-6)


def test_every_input_but_the_histories_is_measured(small_transform, result):
    from preprocessing.transform.input_specs import input_specs

    config = small_transform.config
    specs = input_specs(config.features, config.transform)
    assert set(result.change) == {s.name for s in specs if s.kind != "history"}
    assert result.rows == 3


def test_no_more_batches_are_read_than_needed(small_model, small_transform, batches):
    endless = iter(lambda: batches[0], None)
    result = input_sensitivity(small_model, small_transform.config, endless, rows=4)
    assert result.rows == 6


def test_gate_profile_is_the_gates_formula_over_avc_buckets(
    small_model, small_transform
):
    """C sigmoid(W2 relu(W1 code + b1) + b2), a row an AVC bucket."""
    profile = gate_profile(small_model, small_transform.config)
    bounds = small_transform.config.transform.avc_boundaries
    assert profile["upper_bounds"] == list(bounds)
    assert set(profile["gates"]) == {
        "history_video_ids",
        "history_author_ids",
        "history_tags",
    }
    for name, matrix in profile["gates"].items():
        gate = small_model.attentions[name].module_gate
        assert np.shape(matrix) == (len(bounds) + 1, 2)
        w1, b1, w2, b2 = (v.numpy() for v in gate.weights)
        for row, outputs in enumerate(matrix):
            # Bucket 0 is "missing", which AVC never is; z is in units of a quarter.
            z = (row - len(bounds) / 2) / ((len(bounds) + 1) / 4)
            hidden = np.maximum([z, max(z, 0), max(-z, 0)] @ w1 + b1, 0)
            expected = gate.scale / (1 + np.exp(-(hidden @ w2 + b2)))
            np.testing.assert_allclose(outputs, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"poso": {"attention": False}}},
        {"model": {"personalization_code": ("avc", "user_id")}},
        {"model": {"personalization_code": ("is_new_user",)}},
        {"model": {"attention": {"value_mode": "gated"}}},
        {"transform": {"avc_quantiles": 4}},
    ],
)
def test_there_is_no_profile_where_it_would_not_be_one_of_avc_buckets(
    small_model, sections
):
    assert gate_profile(small_model, settings_with(**sections)) == {}
