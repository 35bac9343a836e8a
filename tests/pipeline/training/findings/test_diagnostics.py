"""What each input changes, computed by hand."""

import numpy as np
import pytest

from pipeline.training.findings.diagnostics import input_sensitivity
from tests.helpers.small_transform import feature_row


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


def test_the_candidates_matches_are_masked_with_its_embedding_and_alone(
    small_model, small_transform
):
    row = feature_row(user_id="u1", video_id="v1", history_video_ids=["v0", "v1", "v1"])
    batch = small_transform.apply(row)
    result = input_sensitivity(small_model, small_transform.config, [batch])
    table = small_model.embedding.tables["video_id"]
    counter = small_model.history_matches.counters["history_video_ids"]
    assert np.min(counter(batch)) > 0
    before, weights = last_activations(small_model, batch), table.get_weights()
    counter.call = lambda inputs, call=counter.call: 0 * call(inputs)
    counts_masked = last_activations(small_model, batch)
    table.set_weights([np.zeros_like(w) for w in weights])
    all_masked = last_activations(small_model, batch)
    del counter.call
    table.set_weights(weights)
    for name, masked in (
        ("history_video_ids matches", counts_masked),
        ("video_id", all_masked),
    ):
        expected = np.abs(masked - before).mean(axis=0)
        assert expected.max() > 0
        np.testing.assert_allclose(
            result.change[name], expected, rtol=1e-4, atol=1e-6, err_msg=name
        )


def test_every_input_and_the_matches_with_each_history_are_measured(
    small_transform, result
):
    from preprocessing.transform.input_specs import input_specs

    config = small_transform.config
    specs = input_specs(config.features, config.transform)
    assert set(result.change) == {
        f"{spec.name} matches" if spec.kind == "history" else spec.name
        for spec in specs
    }
    assert result.rows == 3


def test_no_more_batches_are_read_than_needed(small_model, small_transform, batches):
    endless = iter(lambda: batches[0], None)
    result = input_sensitivity(small_model, small_transform.config, endless, rows=4)
    assert result.rows == 6
