import numpy as np
import pytest

from poso_keras import MMoE, POSOMMoE
from tests.helpers import numpy_reference as reference
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)

NAMES = [
    "expert_kernel_0",
    "expert_bias_0",
    "expert_kernel_1",
    "expert_bias_1",
    "task_kernel",
]
GATE = [
    "gate/hidden/kernel",
    "gate/hidden/bias",
    "gate/gates/kernel",
    "gate/gates/bias",
]


def test_equals_the_formula():
    x, code = normal(6, 4), normal(6, 3, seed=1)
    layer = POSOMMoE(num_experts=3, expert_units=(5, 2), num_tasks=2, scale=1.5)
    layer(x, code)
    randomize(layer)
    weights = named_weights(layer)
    gates = reference.gate(weights, code, 1.5, "gate/")
    expected = reference.mixture(weights, x, gates, 2, 2)
    for a, b in zip(layer(x, code), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_with_gates_on_the_experts_layers_equals_the_formula():
    x, code, other = normal(6, 4), normal(6, 3, seed=1), normal(6, 2, seed=2)
    layer = POSOMMoE(3, (5, 2), num_tasks=2, expert_gates=True)
    layer(x, code, expert_code=other)
    randomize(layer)
    weights = named_weights(layer)
    gates = reference.gate(weights, code, 2.0, "gate/")
    layer_gates = [
        reference.gate(weights, other, 2.0, f"expert_gate_{n}/").reshape(6, 3, -1)
        for n in range(2)
    ]
    expected = reference.mixture(weights, x, gates, 2, 2, layer_gates)
    for a, b in zip(layer(x, code, expert_code=other), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_experts_gates_read_the_personalization_code_by_default():
    x, code = normal(6, 4), normal(6, 3, seed=1)
    layer = POSOMMoE(3, (5, 2), num_tasks=2, expert_gates=True)
    expected = layer(x, code, expert_code=code)
    for a, b in zip(layer(x, code), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def beside_its_twin(experts, width, **options):
    x, code = normal(128, width), normal(128, 8, seed=1)
    args = (experts, (width, width), 2)
    layer, twin = POSOMMoE(*args, **options), MMoE(*args)
    outputs = np.array(layer(x, code))
    twin(x)
    twin.set_weights(layer.get_weights()[: len(twin.weights)])
    return outputs, np.array(twin(x))


@pytest.mark.parametrize("expert_gates", [True, False])
def test_starts_at_the_scale_of_the_plain_twin(expert_gates):
    both = beside_its_twin(32, 64, expert_gates=expert_gates)
    personalized, plain = (np.square(y).mean() for y in both)
    assert personalized / plain == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("expert_gates", [True, False])
@pytest.mark.parametrize("experts", [1, 4])
def test_starts_as_the_plain_twin_where_its_gates_start_as_the_identity(
    experts, expert_gates
):
    options = {"gate_output_initializer": "zeros", "expert_gates": expert_gates}
    personalized, plain = beside_its_twin(experts, 8, **options)
    np.testing.assert_allclose(personalized, plain, rtol=1e-5, atol=1e-6)


def test_experts_and_task_gates_are_drawn_independently_at_their_own_scale():
    layer = POSOMMoE(4, (32,), num_tasks=3)
    layer(normal(2, 32), normal(2, 3))
    weights = named_weights(layer)
    for name, variance in (("expert_kernel_0", 2 / 64), ("task_kernel", 2 / 36)):
        kernels = weights[name]
        assert kernels.var() == pytest.approx(variance, rel=0.15)
        correlations = np.corrcoef(kernels.reshape(len(kernels), -1))
        assert np.abs(np.triu(correlations, 1)).max() < 0.4


@pytest.mark.parametrize("expert_gates", [True, False])
def test_one_user_and_many_candidates_equal_tiling(expert_gates):
    x, code = normal(6, 4), normal(1, 3, seed=1)
    layer = POSOMMoE(3, (5, 2), num_tasks=2, expert_gates=expert_gates)
    expected = layer(x, np.repeat(code, 6, 0))
    for a, b in zip(layer(x, code), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_layer_contract(tmp_path):
    run_layer_checks(
        POSOMMoE,
        {
            "num_experts": 3,
            "expert_units": (5, 2),
            "num_tasks": 2,
            "activation": "tanh",
            "gate_hidden_units": 4,
            "kernel_regularizer": "l2",
        },
        {"inputs": normal(6, 4), "personalization_code": normal(6, 3)},
        [(6, 2), (6, 2)],
        NAMES + GATE,
        tmp_path,
    )


def test_layer_contract_with_gates_on_the_experts_layers(tmp_path):
    gates = [
        f"expert_gate_{n}/{name}"
        for n in range(2)
        for name in ("hidden/kernel", "hidden/bias", "gates/kernel", "gates/bias")
    ]
    run_layer_checks(
        POSOMMoE,
        {
            "num_experts": 3,
            "expert_units": (5, 2),
            "num_tasks": 2,
            "activation": "tanh",
            "gate_kernel_initializer": "he_normal",
            "expert_gates": True,
        },
        {"inputs": normal(6, 4), "personalization_code": normal(6, 3)},
        [(6, 2), (6, 2)],
        NAMES + GATE + gates,
        tmp_path,
    )


def test_an_expert_code_of_another_batch_is_named():
    layer = POSOMMoE(2, (4,), expert_gates=True)
    with pytest.raises(ValueError, match="`expert_code` must have the same batch size"):
        layer(normal(6, 4), normal(6, 3), expert_code=normal(5, 3))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_experts": 0}, "`num_experts` must be a positive integer. Received: 0"),
        ({"num_tasks": -1}, "`num_tasks` must be a positive integer. Received: -1"),
        ({"expert_units": "8"}, "`expert_units` must be a sequence .* Received: '8'"),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        POSOMMoE(**{"num_experts": 2, **kwargs})
