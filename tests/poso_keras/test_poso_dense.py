import numpy as np
import pytest

from poso_keras import POSODense
from poso_keras._backend import keras
from tests.helpers import numpy_reference as reference
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)

GATE = [
    "gate/hidden/kernel",
    "gate/hidden/bias",
    "gate/gates/kernel",
    "gate/gates/bias",
]


def test_equals_the_formula():
    x, code = normal(6, 4), normal(6, 3, seed=1)
    layer = POSODense(5, activation="relu", scale=1.5)
    layer(x, code)
    randomize(layer)
    weights = named_weights(layer)
    plain = reference.relu(x @ weights["kernel"] + weights["bias"])
    expected = reference.gate(weights, code, 1.5, "gate/") * plain
    np.testing.assert_allclose(layer(x, code), expected, rtol=1e-5, atol=1e-6)


def beside_its_twin(units, **options):
    x, code = normal(128, 16), normal(128, 8, seed=1)
    layer, twin = POSODense(units, "relu", **options), keras.layers.Dense(units, "relu")
    outputs = np.array(layer(x, code))
    twin(x)
    twin.set_weights(layer.get_weights()[:2])
    return outputs, np.array(twin(x))


def test_starts_at_the_scale_of_a_plain_layer():
    personalized, plain = (np.square(y).mean() for y in beside_its_twin(512))
    assert personalized / plain == pytest.approx(1.0, abs=0.15)


def test_starts_as_a_plain_layer_where_its_gates_start_as_the_identity():
    personalized, plain = beside_its_twin(4, gate_output_initializer="zeros")
    np.testing.assert_allclose(personalized, plain, rtol=1e-6)


def test_the_gate_is_drawn_as_the_arguments_say():
    layer = POSODense(
        64, gate_kernel_initializer="ones", gate_output_initializer="he_normal"
    )
    layer(normal(2, 4), normal(2, 3))
    weights = named_weights(layer)
    np.testing.assert_array_equal(weights["gate/hidden/kernel"], np.ones((3, 64)))
    assert weights["gate/gates/kernel"].var() == pytest.approx(2 / 64, rel=0.15)


def test_one_user_and_many_candidates_equal_tiling():
    x, code = normal(6, 4), normal(1, 3, seed=1)
    layer = POSODense(5)
    expected = layer(x, np.repeat(code, 6, 0))
    np.testing.assert_allclose(layer(x, code), expected, rtol=1e-6)


def test_gates_broadcast_over_inner_axes():
    x, code = normal(6, 2, 4), normal(6, 3, seed=1)
    layer = POSODense(5)
    y = np.array(layer(x, code))
    randomize(layer)
    y = np.array(layer(x, code))
    for inner in range(2):
        np.testing.assert_allclose(
            y[:, inner], layer(x[:, inner], code), rtol=1e-5, atol=1e-6
        )


def test_layer_contract(tmp_path):
    run_layer_checks(
        POSODense,
        {
            "units": 5,
            "activation": "tanh",
            "gate_hidden_units": 3,
            "gate_kernel_initializer": "he_normal",
            "gate_output_initializer": "glorot_uniform",
            "kernel_regularizer": "l2",
            "kernel_constraint": "max_norm",
            "bias_initializer": "ones",
        },
        {"inputs": normal(6, 4), "personalization_code": normal(6, 3)},
        [(6, 5)],
        ["kernel", "bias", *GATE],
        tmp_path,
    )


@pytest.mark.parametrize(
    ("x", "code", "message"),
    [
        ((6,), (6, 3), "`inputs` must have rank 2 or more"),
        ((6, 4), (6,), "`personalization_code` must have rank 2"),
        ((6, 4), (5, 3), "must have the same batch size, or 1"),
    ],
)
def test_wrong_shapes_are_named(x, code, message):
    with pytest.raises(ValueError, match=rf"{message}.*Received: "):
        POSODense(2)(normal(*x), normal(*code))
