"""What the gates give over AVC buckets, computed by hand, and how it is kept."""

import json

import numpy as np
import pytest

from pipeline.config import TrainerPart
from pipeline.training.findings.gate_profiles import (
    GateRecord,
    profile_from_dict,
    profile_to_dict,
)
from poso_keras.diagnostics import GateProfile
from tests.helpers.small_transform import feature_row, settings_with


@pytest.fixture(scope="module")
def example(small_transform):
    return small_transform.apply(feature_row(avc=3))


@pytest.fixture(scope="module")
def profile(small_model, small_transform, example):
    return GateRecord(small_model, small_transform.config, example).since_start()


def ordered_codes(bounds):
    """[z, relu z, relu -z] of the buckets 1, 2, ...; 0 is "missing", which AVC is not.

    z is in units of a quarter of the buckets, about their middle.
    """
    steps = np.arange(len(bounds) + 1)
    z = (steps - len(bounds) / 2) / ((len(bounds) + 1) / 4)
    return np.stack([z, np.maximum(z, 0), np.maximum(-z, 0)], axis=1)


def test_it_is_the_gates_formula_over_avc_buckets(
    small_model, small_transform, profile
):
    """C sigmoid(W2 relu(W1 code + b1) + b2), a row an AVC bucket."""
    codes = ordered_codes(small_transform.config.transform.avc_boundaries)
    gates = {
        "mmoe/gate": small_model.mmoe.gate,
        **{
            f"{attention.name}/module_gate": attention.module_gate
            for attention in small_model.attentions.values()
        },
    }
    assert len(gates) == 4
    for name, gate in gates.items():
        w1, b1, w2, b2 = (v.numpy() for v in gate.weights)
        hidden = np.maximum(codes @ w1 + b1, 0)
        expected = gate.scale / (1 + np.exp(-(hidden @ w2 + b2)))
        np.testing.assert_allclose(profile.gates[name], expected, rtol=1e-4)
        assert profile.scales[name] == gate.scale


def test_every_kind_of_gated_module_is_there(small_model, profile):
    for part in ("mmoe/", "like_tower/", "long_view_tower/", "history_tags_attention/"):
        assert any(name.startswith(part) for name in profile.gates), part


def test_what_has_moved_since_the_start_is_seen(small_model, small_transform, example):
    record = GateRecord(small_model, small_transform.config, example)
    gate = small_model.mmoe.gate
    weights = gate.get_weights()
    gate.set_weights([*weights[:-1], weights[-1] + 1.0])
    moved = {n: x.moved for n, x in record.since_start().numbers().items()}
    gate.set_weights(weights)
    assert moved.pop("mmoe/gate") > 0.01
    assert set(moved.values()) == {0.0}


def test_the_plain_model_has_no_profile(small_model, small_transform, example):
    plain = small_transform.config.plain()
    assert GateRecord(small_model, plain, example).since_start() is None


def part(**sections):
    return settings_with(**sections).part(TrainerPart)


def test_a_profile_survives_its_file(small_transform, profile):
    config = small_transform.config
    text = json.dumps(profile_to_dict(profile, config))
    read, buckets = profile_from_dict(json.loads(text))
    bounds = config.transform.avc_boundaries
    assert buckets == [f"<{bounds[0]:g}", *(f"{bound:g}+" for bound in bounds)]
    assert read.scales == profile.scales
    for kept, whole in ((read.gates, profile.gates), (read.starts, profile.starts)):
        assert kept.keys() == whole.keys()
        for name, matrix in whole.items():
            np.testing.assert_allclose(kept[name], matrix, atol=1e-6)


def test_buckets_between_quantiles_are_named_by_their_numbers():
    profile = GateProfile({"gate": np.ones((3, 1))}, {"gate": 2.0})
    written = profile_to_dict(profile, part(transform={"avc_quantiles": 3}))
    assert written["buckets"] == ["#1", "#2", "#3"]
