import numpy as np
import pytest

from poso_keras import PersonalizationGate
from tests.helpers import numpy_reference as reference
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)

NAMES = ["hidden/kernel", "hidden/bias", "gates/kernel", "gates/bias"]


@pytest.mark.parametrize("scale", [2.0, 0.7])
def test_equals_the_formula(scale):
    code = normal(6, 3)
    gate = PersonalizationGate(5, hidden_units=4, scale=scale)
    gate(code)
    randomize(gate)
    expected = reference.gate(named_weights(gate), code, scale)
    np.testing.assert_allclose(gate(code), expected, rtol=1e-5)
    assert expected.std() > 0.01


@pytest.mark.parametrize("code_dim", [1, 8, 128])
@pytest.mark.parametrize("units", [1, 16, 256])
def test_starts_as_the_identity(units, code_dim):
    gates = np.array(PersonalizationGate(units)(normal(256, code_dim)))
    assert np.square(gates).mean() == pytest.approx(1.0, abs=0.1)
    assert gates.std() > 0  # but not stuck there: W2 is not zero


@pytest.mark.parametrize(("units", "expected"), [(4, 16), (32, 32), (500, 64)])
def test_hidden_width_by_default(units, expected):
    gate = PersonalizationGate(units)
    gate(normal(2, 3))
    assert named_weights(gate)["hidden/kernel"].shape == (3, expected)


def test_whole_number_codes_are_accepted():
    gate = PersonalizationGate(4)
    code = np.array([[0, 1], [1, 0]])
    np.testing.assert_array_equal(gate(code), gate(code.astype("float32")))


def test_layer_contract(tmp_path):
    run_layer_checks(
        PersonalizationGate,
        {"units": 5, "hidden_units": 4, "scale": 1.5, "kernel_regularizer": "l2"},
        {"personalization_code": normal(6, 3)},
        [(6, 5)],
        NAMES,
        tmp_path,
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"units": 0}, "`units` must be a positive integer. Received: 0"),
        ({"units": 2, "hidden_units": -1}, "`hidden_units` must .* Received: -1"),
        ({"units": 2, "scale": 0}, "`scale` must be a positive number. Received: 0"),
        ({"units": 2, "scale": "auto"}, "`scale` must .* Received: 'auto'"),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PersonalizationGate(**kwargs)


def test_a_code_of_the_wrong_rank_is_named():
    with pytest.raises(ValueError, match="`personalization_code` must have rank 2"):
        PersonalizationGate(2)(normal(2, 3, 4))
