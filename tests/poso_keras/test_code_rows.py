"""Distinct codes with the row of each example are the codes of each example."""

import numpy as np
import pytest

import poso_keras
from poso_keras._backend import keras, ops
from tests.helpers.backends import as_list, gradients
from tests.helpers.layer_checks import normal, randomize

CODES = normal(3, 4, seed=1)
OTHERS = normal(3, 2, seed=2)
ROWS = np.array([2, 0, 0, 1, 2])
BATCH = len(ROWS)

LAYERS = {
    "gate": (lambda: poso_keras.PersonalizationGate(6), {}),
    "dense": (lambda: poso_keras.POSODense(6), {"inputs": normal(BATCH, 4)}),
    "mlp": (lambda: poso_keras.POSOMLP((6, 5)), {"inputs": normal(BATCH, 7, 4)}),
    "mmoe": (
        lambda: poso_keras.POSOMMoE(2, (6, 5), 3, expert_gates=True),
        {"inputs": normal(BATCH, 4)},
    ),
    "attention": (
        lambda: poso_keras.POSOMultiHeadAttention(2, 3, 2, "gated", "gated", "full"),
        {"query": normal(BATCH, 4), "value": normal(BATCH, 7, 4)},
    ),
    "attention, maps": (
        lambda: poso_keras.POSOMultiHeadAttention(2, 3, 2, "full", "shared", "gated"),
        {"query": normal(BATCH, 4), "value": normal(BATCH, 7, 4)},
    ),
}


@pytest.fixture(params=LAYERS)
def made(request):
    """A layer with random weights, and its arguments but for the code."""
    make, arrays = LAYERS[request.param]
    layer = make()
    layer(**arrays, personalization_code=CODES[ROWS])
    randomize(layer)
    return layer, arrays


class ByName(keras.layers.Layer):
    """A layer whose arguments come in the order of some names."""

    def __init__(self, layer, names):
        super().__init__()
        self.layer, self.names = layer, list(names)
        self.built = True

    def call(self, *tensors):
        return self.layer(**dict(zip(self.names, tensors, strict=True)))


def equal(some, others):
    for one, other in zip(as_list(some), as_list(others), strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other), rtol=1e-5, atol=1e-6
        )


def test_outputs_and_gradients_are_those_of_a_code_each(made):
    layer, arrays = made
    each = {**arrays, "personalization_code": CODES[ROWS]}
    few = {**arrays, "personalization_code": CODES, "code_rows": ROWS}
    few_outputs, few_inputs, few_weights = gradients(ByName(layer, few), few)
    outputs, inputs, weights = gradients(ByName(layer, each), each)
    equal(few_outputs, outputs)
    equal(few_weights, weights)
    equal(few_inputs[:-1], inputs[:-1])
    of_codes = [inputs[-1][code == ROWS].sum(axis=0) for code in range(len(CODES))]
    np.testing.assert_allclose(few_inputs[-1], of_codes, rtol=1e-4, atol=1e-5)


def test_a_layer_that_first_sees_distinct_codes_is_built_alike(made):
    layer, arrays = made
    new = type(layer).from_config(layer.get_config())
    new(**arrays, personalization_code=CODES, code_rows=ROWS)
    new.set_weights(layer.get_weights())
    equal(
        new(**arrays, personalization_code=CODES[ROWS]),
        layer(**arrays, personalization_code=CODES[ROWS]),
    )


def test_rows_are_inputs_of_a_model_that_is_saved(made, tmp_path):
    layer, arrays = made
    given = {**arrays, "personalization_code": CODES, "code_rows": ROWS.astype("int32")}
    inputs = {
        name: keras.Input(value.shape[1:], dtype=str(value.dtype), name=name)
        for name, value in given.items()
    }
    model = keras.Model(inputs, layer(**inputs))
    expected = as_list(layer(**given))
    for output, symbolic in zip(expected, as_list(model.outputs), strict=True):
        assert tuple(symbolic.shape) == (None, *output.shape[1:])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    equal(loaded(given), expected)


def test_the_gates_of_experts_read_rows_of_a_code_of_their_own():
    layer = poso_keras.POSOMMoE(2, (6, 5), 3, expert_gates=True)
    x = normal(BATCH, 4)
    layer(x, CODES[ROWS], expert_code=OTHERS[ROWS])
    randomize(layer)
    few = layer(x, CODES, expert_code=OTHERS, code_rows=ROWS)
    equal(few, layer(x, CODES[ROWS], expert_code=OTHERS[ROWS]))


def test_both_codes_of_a_mixture_have_the_rows():
    layer = poso_keras.POSOMMoE(2, (6, 5), 3, expert_gates=True)
    x = normal(BATCH, 4)
    for built in (False, True):
        if built:
            layer(x, CODES, expert_code=OTHERS, code_rows=ROWS)
        for others in (OTHERS[ROWS], OTHERS[:1]):
            with pytest.raises(ValueError, match="must have as many rows"):
                layer(x, CODES, expert_code=others, code_rows=ROWS)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64"])
def test_rows_of_every_whole_number(dtype):
    gate = poso_keras.PersonalizationGate(6)
    equal(gate(CODES, ROWS.astype(dtype)), gate(CODES[ROWS]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS.astype("float32"), "whole numbers. Received: dtype float32"),
        (ROWS[:, None], r"must be \[batch\]. Received: shape \(5, 1\)"),
    ],
)
def test_rows_that_are_none_are_named(made, rows, message):
    layer, arrays = made
    with pytest.raises(ValueError, match=f"`code_rows`.*{message}"):
        layer(**arrays, personalization_code=CODES, code_rows=rows)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "gate"])
def test_as_many_rows_as_examples(name):
    make, arrays = LAYERS[name]
    for built in (False, True):
        layer = make()
        if built:
            layer(**arrays, personalization_code=CODES, code_rows=ROWS)
        with pytest.raises(ValueError, match=r"`code_rows`.*same batch size.*\(4,\)"):
            layer(**arrays, personalization_code=CODES, code_rows=ROWS[:4])
