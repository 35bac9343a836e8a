import numpy as np

from poso_keras import MMoE
from tests.helpers import numpy_reference as reference
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)


def test_equals_the_formula_and_ignores_the_code():
    x = normal(6, 4)
    layer = MMoE(num_experts=3, expert_units=(5, 2), num_tasks=2)
    layer(x)
    randomize(layer)
    expected = reference.mixture(named_weights(layer), x, np.ones((6, 3)), 2, 2)
    for a, b in zip(layer(x, normal(6, 2)), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_layer_contract(tmp_path):
    run_layer_checks(
        MMoE,
        {"num_experts": 3, "expert_units": (5,), "num_tasks": 2, "activation": "tanh"},
        {"inputs": normal(6, 4), "personalization_code": normal(6, 3)},
        [(6, 5), (6, 5)],
        ["expert_kernel_0", "expert_bias_0", "task_kernel"],
        tmp_path,
    )
