"""What every layer says of inputs that it cannot take, also once it is built."""

import importlib

import numpy as np
import pytest

from poso_keras import (
    MLP,
    POSOMLP,
    MMoE,
    POSODense,
    POSOMMoE,
    POSOMultiHeadAttention,
    SequenceAttention,
)
from poso_keras._backend import KERAS_3
from tests.helpers.backends import ON_TENSORFLOW, as_arrays
from tests.helpers.layer_checks import normal

GOOD = {
    "inputs": normal(5, 4),
    "query": normal(5, 4),
    "value": normal(5, 6, 8, seed=1),
    "personalization_code": normal(5, 3, seed=2),
}
CODE = ("inputs", "personalization_code")
LAYERS = {
    "POSODense": (lambda: POSODense(4), CODE),
    "POSOMLP": (lambda: POSOMLP((4, 3)), CODE),
    "POSOMMoE": (lambda: POSOMMoE(2, (4,)), CODE),
    "MLP": (lambda: MLP((4, 3)), ("inputs",)),
    "MMoE": (lambda: MMoE(2, (4,)), ("inputs",)),
    "SequenceAttention": (lambda: SequenceAttention(2, 4), ("query", "value")),
    "POSOMultiHeadAttention": (
        lambda: POSOMultiHeadAttention(2, 4),
        ("query", "value", "personalization_code"),
    ),
}
WRONG = {
    "no axis": lambda a: a[0, ..., 0],
    "another width": lambda a: a[..., :2],
    "another batch": lambda a: a[:4],
    "no rows": lambda a: a[:0],
}
if ON_TENSORFLOW:  # the tensors of the others hold no text: Keras refuses it before
    WRONG["text"] = lambda a: a.astype(str)
TAKES_ANY_RANK = ("POSODense", "POSOMLP", "MLP")
CASES = [
    (layer, argument, wrong)
    for layer, (_, arguments) in LAYERS.items()
    for argument in arguments
    for wrong in WRONG
    if len(arguments) > 1 or wrong not in ("another batch", "no rows")
]


@pytest.mark.parametrize(("name", "argument", "wrong"), CASES)
def test_the_argument_is_named(name, argument, wrong):
    make, arguments = LAYERS[name]
    arrays = {argument: GOOD[argument] for argument in arguments}
    layer = make()
    layer(*arrays.values())
    arrays[argument] = WRONG[wrong](arrays[argument])
    with pytest.raises((ValueError, TypeError), match=f"`{argument}`.*Received"):
        layer(*arrays.values())


@pytest.mark.parametrize("name", LAYERS)
def test_an_axis_too_many_is_named(name):
    make, arguments = LAYERS[name]
    for argument in arguments:
        if name in TAKES_ANY_RANK and argument == "inputs":
            continue
        arrays = {argument: GOOD[argument] for argument in arguments}
        layer = make()
        layer(*arrays.values())
        arrays[argument] = arrays[argument][:, None]
        with pytest.raises(ValueError, match=rf"`{argument}` must have rank.*Received"):
            layer(*arrays.values())


@pytest.mark.parametrize("name", LAYERS)
def test_no_rows_are_taken_and_so_are_whole_numbers(name):
    make, arguments = LAYERS[name]
    layer = make()
    whole = {a: np.round(3 * GOOD[a]) for a in arguments}
    expected = as_arrays(layer(*whole.values()))
    for dtype in ("int32", "int64"):
        given = [array.astype(dtype) for array in whole.values()]
        for a, b in zip(as_arrays(layer(*given)), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    for output, a in zip(
        as_arrays(layer(*(GOOD[a][:0] for a in arguments))), expected, strict=True
    ):
        assert output.shape == (0, *a.shape[1:])


def test_a_code_that_is_not_given_is_named():
    layer = POSOMLP((4,))
    layer(*(GOOD[argument] for argument in CODE))
    with pytest.raises(ValueError, match="`personalization_code` must be a tensor"):
        layer(GOOD["inputs"], None)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="tf_keras is TensorFlow's")
@pytest.mark.parametrize("name", LAYERS)
def test_an_input_of_the_other_keras_is_named_with_the_fix(name):
    other = importlib.import_module("tf_keras" if KERAS_3 else "keras")
    make, arguments = LAYERS[name]
    inputs = [other.Input(GOOD[argument].shape[1:]) for argument in arguments]
    fix = "set TF_USE_LEGACY_KERAS=1 before" if KERAS_3 else "unset it before"
    named = "|".join(arguments)
    with pytest.raises(ValueError, match=rf"`({named})`: .*{fix}.*KerasTensor"):
        make()(*inputs)
