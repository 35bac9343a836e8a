"""Which layers a ranking model is made of, by configuration."""

import numpy as np
import pytest

import poso_keras
from tests.helpers.random_model import (
    new_model,
    random_batch,
)

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
