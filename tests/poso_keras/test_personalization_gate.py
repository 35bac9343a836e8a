import numpy as np
import pytest

from poso_keras import BucketEncoding, PersonalizationGate
from poso_keras._backend import keras
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


def all_buckets(encoding):
    layer = BucketEncoding(17, encoding, zero_is_missing=True)
    return np.array(layer(np.arange(1, 17)))


CODES = {
    "ordered": (all_buckets("ordered"), "he_normal"),
    "thermometer": (all_buckets("thermometer"), "glorot_uniform"),
    "one_hot": (all_buckets("one_hot"), "he_normal"),
    "wide": (normal(256, 128), "glorot_uniform"),
    "narrow": (normal(256, 1), "glorot_uniform"),
}


@pytest.mark.parametrize("scale", [2.0, 0.5])
@pytest.mark.parametrize("name", CODES)
def test_starts_as_the_identity_and_within_15_percent_of_its_scale_over_draws(
    name, scale
):
    code, initializer = CODES[name]
    keras.utils.set_random_seed(3)
    means, moments = [], []
    for _ in range(60):  # one draw of W1 moves the second moment by up to 0.03
        gate = PersonalizationGate(200, 64, scale, kernel_initializer=initializer)
        gates = np.array(gate(code)) / (scale / 2)
        means.append(gates.mean())
        moments.append(np.square(gates).mean())
    assert np.mean(means) == pytest.approx(1.0, abs=0.01)
    assert 1.0 < np.mean(moments) <= 1.15


@pytest.mark.parametrize(
    ("name", "least"), [("ordered", 0.1), ("thermometer", 0.1), ("one_hot", 0.05)]
)
def test_gates_start_apart_from_each_other_and_differ_between_buckets(name, least):
    """By these differences modules become those of different users."""
    code, initializer = CODES[name]
    gates = np.array(PersonalizationGate(500, 64, kernel_initializer=initializer)(code))
    assert gates.std(axis=0).mean() > least
    assert gates.std(axis=1).mean() > least


def test_the_second_moment_is_that_of_a_sigmoid_of_normal_variables():
    """With hidden units of mean square m a logit is normal, of variance m."""
    code = np.ones((1, 2), "float32")
    gate = PersonalizationGate(4000, 64)
    gate(code)
    hidden = np.maximum(code @ gate.get_weights()[0], 0)
    logits = np.linspace(-9, 9, 2001) * np.sqrt(np.square(hidden).mean())
    density = np.exp(-(np.linspace(-9, 9, 2001) ** 2) / 2)
    squares = np.square(2 * reference.sigmoid(logits))
    expected = (squares * density).sum() / density.sum()
    np.testing.assert_allclose(np.square(gate(code)).mean(), expected, rtol=0.01)


def test_starts_as_the_identity_exactly_where_its_output_is_told_to():
    code = normal(6, 3)
    gate = PersonalizationGate(5, scale=0.5, output_initializer="zeros")
    np.testing.assert_array_equal(gate(code), np.full((6, 5), 0.25))


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
