import numpy as np
import pytest
import tensorflow as tf

import poso_keras
from benchmarks.contestant import Contestant, check_equal
from benchmarks.textbook_attention import TextbookAttention


def attention(**config):
    rng = np.random.default_rng(0)
    shapes = ((5, 6), (5, 7, 8), (5, 3))
    inputs = [tf.constant(rng.normal(size=s), tf.float32) for s in shapes]
    mask = tf.constant(np.arange(7) < [[7], [0], [3], [1], [5]])
    layer = poso_keras.POSOMultiHeadAttention(2, 4, num_modules=3, **config)
    layer(*inputs, mask)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer, inputs, mask


@pytest.mark.parametrize("products", ["einsums", "blocks"])
def test_equals_the_cheap_order_in_outputs_and_gradients(products):
    cheap, inputs, mask = attention()
    weights = cheap.trainable_weights
    one = Contestant(cheap, inputs, weights, (mask,))
    other = Contestant(TextbookAttention(cheap, products), inputs, weights, (mask,))
    assert check_equal(one.forward(), other.forward()) < 1e-5
    assert check_equal(one.gradients(), other.gradients()) < 1e-5
    assert not other.forward()[0][1].numpy().any()  # the empty sequence


def test_what_cannot_be_compared_is_refused():
    cheap, inputs, _ = attention(value_mode="gated")
    with pytest.raises(ValueError, match="must have the modes"):
        TextbookAttention(cheap)
    with pytest.raises(ValueError, match="must agree to"):
        check_equal(inputs, [1.01 * x for x in inputs])
