import numpy as np
import pytest

from poso_keras import MLP, POSOMLP
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


def test_equals_the_formula_with_a_gate_on_the_raw_code_in_every_layer():
    x, code = normal(6, 4), normal(6, 3, seed=1)
    layer = POSOMLP((5, 2))
    layer(x, code)
    randomize(layer)
    weights = named_weights(layer)
    expected = x
    for n in range(2):
        plain = expected @ weights[f"dense_{n}/kernel"] + weights[f"dense_{n}/bias"]
        gates = reference.gate(weights, code, 2.0, f"dense_{n}/gate/")
        expected = gates * reference.relu(plain)
    np.testing.assert_allclose(layer(x, code), expected, rtol=1e-5, atol=1e-6)


def beside_its_twin(units, **options):
    x, code = normal(128, 16), normal(128, 8, seed=1)
    layer, twin = POSOMLP(units, **options), MLP(units)
    outputs = np.array(layer(x, code))
    twin(x)
    weights = named_weights(layer)
    twin.set_weights([weights[name] for name in named_weights(twin)])
    return outputs, np.array(twin(x))


def test_starts_at_the_scale_of_the_plain_twin():
    personalized, plain = (np.square(y).mean() for y in beside_its_twin((512, 256)))
    assert personalized / plain == pytest.approx(1.0, abs=0.15)


def test_starts_as_the_plain_twin_where_its_gates_start_as_the_identity():
    personalized, plain = beside_its_twin((8, 8, 8), gate_output_initializer="zeros")
    np.testing.assert_allclose(personalized, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", [None, 3])
def test_gates_of_one_shape_are_drawn_independently(seed):
    initializer = keras.initializers.RandomNormal(seed=seed)
    layer = POSOMLP(
        (16, 16),
        gate_kernel_initializer=initializer,
        gate_output_initializer=initializer,
    )
    layer(normal(2, 8), normal(2, 16))
    weights = named_weights(layer)
    kernels = [
        weights[f"dense_{n}/gate/{name}/kernel"].ravel()
        for n in range(2)
        for name in ("hidden", "gates")
    ]
    assert np.abs(np.triu(np.corrcoef(kernels), 1)).max() < 0.4


def test_layers_of_one_shape_are_drawn_independently():
    layer = POSOMLP((8, 8))
    layer(normal(2, 8), normal(2, 3))
    weights = named_weights(layer)
    for name in ("kernel", "gate/hidden/kernel", "gate/gates/kernel"):
        pair = weights[f"dense_0/{name}"].ravel(), weights[f"dense_1/{name}"].ravel()
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.6


def test_one_user_and_many_candidates_equal_tiling():
    x, code = normal(6, 4), normal(1, 3, seed=1)
    layer = POSOMLP((5, 2))
    expected = layer(x, np.repeat(code, 6, 0))
    np.testing.assert_allclose(layer(x, code), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer_class", [POSOMLP, MLP])
def test_dropout_acts_in_training_alone(layer_class):
    x, code = normal(64, 4), normal(64, 3, seed=1)
    layer = layer_class((32,), activation=None, dropout=0.5)
    plain = np.array(layer(x, code))
    np.testing.assert_array_equal(layer(x, code, training=False), plain)
    dropped = np.array(layer(x, code, training=True)) == 0
    assert dropped.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.e2e
def test_layer_contract(tmp_path):
    run_layer_checks(
        POSOMLP,
        {"units": [5, 2], "activation": "tanh", "gate_hidden_units": 3, "scale": 1.5},
        {"inputs": normal(6, 4), "personalization_code": normal(6, 3)},
        [(6, 2)],
        [f"dense_{n}/{name}" for n in range(2) for name in ["kernel", "bias", *GATE]],
        tmp_path,
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"units": ()}, "`units` must name at least one layer. Received: "),
        ({"units": 8}, "`units` must be a sequence of positive .* Received: 8"),
        ({"units": (8, 0)}, "`units` must be a positive integer. Received: 0"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\). Received: 1.0"),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        POSOMLP(**kwargs)
