"""Masks whose shape TensorFlow knows only when a graph runs; ragged sequences."""

import re

import numpy as np
import pytest
import tensorflow as tf

from poso_keras import MLP, POSODense, POSOMMoE
from poso_keras._backend import KERAS_3, keras
from tests.helpers.layer_checks import normal
from tests.poso_keras.test_masks import (
    BATCH,
    LENGTHS,
    SEQ,
    VALID,
    WRONG_SHAPES,
    both_layers,
    built,
    data,
)


def traced(layer, mask_shape, dtype=tf.bool):
    """The layer in a graph that knows no size but the widths."""

    def call(query, value, code, mask):
        return layer(query, value, code, attention_mask=mask)

    return tf.function(
        call,
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, 4]),
            tf.TensorSpec([None, None, 8]),
            tf.TensorSpec([None, 3]),
            tf.TensorSpec(mask_shape, dtype),
        ],
    )


@both_layers
@pytest.mark.parametrize("shape", WRONG_SHAPES, ids=str)
@pytest.mark.parametrize("rank_is_known", [True, False])
def test_another_shape_is_refused_when_the_graph_runs(
    layer_class, shape, rank_is_known
):
    known = [None] * len(shape) if rank_is_known else None
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as caught:
        traced(built(layer_class), known)(*data().values(), np.ones(shape, bool))
    message = str(caught.value)
    assert "`attention_mask` must have the shape [batch, seq]" in message
    if not isinstance(caught.value, ValueError):
        received = re.escape(str(list(shape)).replace(",", ""))
        assert re.search(rf"\[{BATCH} {SEQ}\] \[.*shape=\] {received}", message)


@both_layers
@pytest.mark.parametrize("known", [[None] * 2, [None, SEQ], [BATCH, None], None])
def test_a_mask_that_fits_is_taken_whatever_the_graph_knows(layer_class, known):
    layer = built(layer_class)
    expected = layer(**data(), attention_mask=VALID)
    actual = traced(layer, known)(*data().values(), VALID)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
    axes = None if known is None else [known[0], None, None, known[1]]
    actual = traced(layer, axes)(*data().values(), VALID[:, None, None])
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@both_layers
def test_no_rows_are_no_error_in_a_graph(layer_class):
    arrays = [array[:0] for array in data().values()]
    function = traced(built(layer_class), [None, None])
    assert function(*arrays, VALID[:0]).shape == (0, 8)


@both_layers
def test_a_mask_that_is_added_to_scores_is_refused(layer_class):
    """0 where a step is valid and -1e9 elsewhere: the opposite of a mask."""
    layer = built(layer_class)
    added = np.where(VALID, 0, -1e9).astype("float32")
    message = "`attention_mask` must be true"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        layer(**data(), attention_mask=added)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        traced(layer, [None, None], tf.float32)(*data().values(), added)


@both_layers
def test_a_mask_of_text_is_refused(layer_class):
    with pytest.raises(ValueError, match="`attention_mask` must hold numbers"):
        built(layer_class)(**data(), attention_mask=np.full((BATCH, SEQ), "1"))


def ragged(value):
    return tf.RaggedTensor.from_tensor(value, lengths=LENGTHS)


@both_layers
def test_a_ragged_sequence_is_as_one_with_a_mask(layer_class):
    layer, arrays = built(layer_class), data()
    expected = np.array(layer(**arrays, attention_mask=VALID))
    arrays["value"] = ragged(arrays["value"])
    np.testing.assert_allclose(layer(**arrays), expected, rtol=1e-5, atol=1e-6)
    assert not expected[LENGTHS == 0].any()
    function = tf.function(lambda **given: layer(**given), autograph=False)
    np.testing.assert_allclose(function(**arrays), expected, rtol=1e-5, atol=1e-6)
    both = layer(**arrays, attention_mask=np.arange(SEQ) < np.full((BATCH, 1), 2))
    fewer = layer(**data(), attention_mask=VALID & (np.arange(SEQ) < 2))
    np.testing.assert_allclose(both, fewer, rtol=1e-5, atol=1e-6)


if not KERAS_3:  # whose `Input` has no ragged ones

    @both_layers
    def test_a_ragged_input_of_a_functional_model(layer_class):
        layer, arrays = built(layer_class), data()
        expected = layer(**arrays, attention_mask=VALID)
        inputs = [
            keras.Input((4,)),
            keras.Input((None, 8), ragged=True),
            keras.Input((3,)),
        ]
        model = keras.Model(inputs, layer(*inputs))
        arrays["value"] = ragged(arrays["value"])
        np.testing.assert_allclose(
            model(list(arrays.values())), expected, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (POSODense(4), 2),
        (POSOMMoE(2, (4,)), 2),
        *([(MLP((4,)), 1)] if KERAS_3 else []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_elsewhere_ragged_inputs_are_refused(layer, arguments):
    value = ragged(normal(BATCH, SEQ, 8))
    if isinstance(layer, POSOMMoE):
        value = tf.RaggedTensor.from_row_lengths(np.ones(sum(LENGTHS)), LENGTHS)
    with pytest.raises(ValueError, match="`inputs` must"):
        layer(*(value, normal(BATCH, 3))[:arguments])
