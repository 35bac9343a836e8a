import numpy as np

from poso_keras import SequenceAttention
from tests.helpers import numpy_reference as reference
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)


def test_equals_the_textbook_order():
    query, value, code = normal(4, 3), normal(4, 6, 5, seed=1), normal(4, 2)
    mask = np.array([[1] * 6, [1] * 3 + [0] * 3, [0, 1] * 3, [0] * 6])
    layer = SequenceAttention(num_heads=3, key_dim=2)
    layer(query, value)
    randomize(layer)
    expected = reference.attention(
        named_weights(layer), query, value, code, mask, 3, 1, ("shared",) * 3, 1.0
    )
    np.testing.assert_allclose(
        layer(query, value, attention_mask=mask), expected, rtol=1e-5, atol=1e-5
    )


def test_kernels_are_drawn_independently_also_from_one_seeded_initializer():
    from poso_keras._backend import keras

    initializer = keras.initializers.RandomNormal(seed=3)
    layer = SequenceAttention(2, 4, kernel_initializer=initializer)
    layer(normal(2, 8), normal(2, 3, 8))
    query, key, value = layer.get_weights()
    for a, b in ((query, key), (query, value), (key, value)):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.5


def test_layer_contract(tmp_path):
    run_layer_checks(
        SequenceAttention,
        {"num_heads": 2, "key_dim": 3, "kernel_regularizer": "l2"},
        {
            "query": normal(4, 3),
            "value": normal(4, 6, 5),
            "personalization_code": normal(4, 2),
            "attention_mask": np.tri(4, 6, dtype="float32"),
        },
        [(4, 6)],
        ["query_kernel", "key_kernel", "value_kernel"],
        tmp_path,
    )
