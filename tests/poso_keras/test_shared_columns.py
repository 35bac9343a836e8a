"""Columns that rows share give what the same columns repeated in each row give."""

import itertools

import numpy as np
import pytest

import poso_keras
from poso_keras._backend import ops
from poso_keras.poso_attention import MODES

ROWS, SHARED, OWN, SEQ = 4, 3, 5, 6
RANDOM = np.random.default_rng(8)
USER = RANDOM.normal(size=(1, SHARED)).astype("float32")
VIDEOS = RANDOM.normal(size=(ROWS, OWN)).astype("float32")
JOINED = np.concatenate([np.repeat(USER, ROWS, axis=0), VIDEOS], axis=1)
CODE = RANDOM.normal(size=(1, 2)).astype("float32")
CODES = RANDOM.normal(size=(ROWS, 2)).astype("float32")
HISTORY = RANDOM.normal(size=(1, SEQ, 4)).astype("float32")
MASKS = {
    "whole": None,
    "part": np.array([[True] * 4 + [False] * 2]),
    "empty": np.zeros((1, SEQ), bool),
}
GRID = [m for m in itertools.product(MODES, repeat=3) if set(m) != {"shared"}]
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def arrays(outputs):
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return [ops.convert_to_numpy(output) for output in outputs]


def equal(shared, joined):
    for one, other in zip(arrays(shared), arrays(joined), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, **TOLERANCE)


def randomized(layer):
    """Gates start as the identity, which would hide what is wrong with them."""
    for weight in layer.trainable_weights:
        weight.assign(RANDOM.normal(size=tuple(weight.shape)).astype("float32"))


@pytest.mark.parametrize("codes", [CODE, CODES], ids=["one code", "a code a row"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("modes", GRID, ids=" ".join)
def test_attention_of_every_mode(modes, mask, codes):
    layer = poso_keras.POSOMultiHeadAttention(2, 3, 3, *modes)
    layer(JOINED, HISTORY, codes)
    randomized(layer)
    shared = layer(
        VIDEOS, HISTORY, codes, attention_mask=MASKS[mask], shared_query=USER
    )
    equal(shared, layer(JOINED, HISTORY, codes, attention_mask=MASKS[mask]))


@pytest.mark.parametrize("mask", MASKS)
def test_plain_attention(mask):
    layer = poso_keras.SequenceAttention(2, 3)
    shared = layer(VIDEOS, HISTORY, attention_mask=MASKS[mask], shared_query=USER)
    equal(shared, layer(JOINED, HISTORY, attention_mask=MASKS[mask]))


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", ["MMoE", "POSOMMoE"])
def test_mixtures_of_experts(kind, use_bias):
    layer = getattr(poso_keras, kind)(3, (6, 4), 2, use_bias=use_bias)
    layer(JOINED, CODE)
    randomized(layer)
    equal(layer(VIDEOS, CODE, shared_inputs=USER), layer(JOINED, CODE))


def test_a_layer_that_first_sees_shared_columns_is_built_for_all_of_them():
    layer = poso_keras.MMoE(3, (6, 4), 2)
    equal(layer(VIDEOS, shared_inputs=USER), layer(JOINED))


def test_shared_columns_have_one_row():
    layer = poso_keras.MMoE(3, (6, 4), 2)
    with pytest.raises(ValueError, match=r"shared_inputs.*one row"):
        layer(VIDEOS, shared_inputs=np.repeat(USER, ROWS, axis=0))
