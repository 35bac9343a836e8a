import numpy as np

from poso_keras import MLP
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)


def test_equals_the_formula_and_ignores_the_code():
    x = normal(6, 4)
    layer = MLP((5, 3), activation="tanh")
    layer(x)
    randomize(layer)
    w = named_weights(layer)
    hidden = np.tanh(x @ w["dense_0/kernel"] + w["dense_0/bias"])
    expected = np.tanh(hidden @ w["dense_1/kernel"] + w["dense_1/bias"])
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(layer(x, normal(6, 2)), layer(x))


def test_layer_contract(tmp_path):
    run_layer_checks(
        MLP,
        {"units": (5, 2), "activation": "tanh", "kernel_regularizer": "l1"},
        {"inputs": normal(6, 4), "personalization_code": normal(6, 3)},
        [(6, 2)],
        ["dense_0/kernel", "dense_0/bias", "dense_1/kernel", "dense_1/bias"],
        tmp_path,
    )
