"""What the common layers of Keras compute, by hand."""

import numpy as np
import pytest

from poso_keras._backend import keras
from poso_keras.diagnostics import model_cost

X3, X4 = np.ones((2, 3), "float32"), np.ones((2, 4, 3), "float32")


@pytest.mark.parametrize(
    ("name", "config", "arguments", "expected"),
    [
        ("Dense", {"units": 5}, X3, 2 * 5 * (2 * 3 + 1)),
        ("Dense", {"units": 5, "use_bias": False}, X4, 2 * 4 * 5 * 2 * 3),
        ("Dense", {"units": 5, "activation": "sigmoid"}, X3, 2 * 5 * (2 * 3 + 1 + 4)),
        ("Dense", {"units": 5, "activation": "softmax"}, X3, 2 * 5 * (2 * 3 + 1 + 5)),
        (
            "EinsumDense",
            {"equation": "bsx,xhd->bshd", "output_shape": (4, 2, 5), "bias_axes": "hd"},
            X4,
            2 * 4 * 2 * 5 * (2 * 3 + 1),
        ),
        (
            "EinsumDense",
            {"equation": "...x,xy->...y", "output_shape": (5,), "activation": "relu"},
            X4,
            2 * 4 * 5 * (2 * 3 + 1),
        ),
        (
            "EinsumDense",
            {"equation": "bsx,xy->by", "output_shape": (5,)},
            X4,
            2 * 5 * 2 * 4 * 3,
        ),
        ("Embedding", {"input_dim": 9, "output_dim": 5}, np.ones((2, 4), "int32"), 0),
        ("LayerNormalization", {}, X3, 2 * 3 * 7),
        ("LayerNormalization", {"center": False}, X3, 2 * 3 * 6),
        ("BatchNormalization", {}, X3, 2 * 3 * 2),
        ("Activation", {"activation": "tanh"}, X3, 2 * 3),
        ("ReLU", {}, X3, 2 * 3),
        ("Softmax", {}, X3, 2 * 3 * 5),
        ("Dropout", {"rate": 0.5}, X3, 0),
        ("Reshape", {"target_shape": (3, 4)}, X4, 0),
        ("Concatenate", {}, [X3, X3], 0),
        ("Add", {}, [X3, X3, X3], 2 * 3 * 2),
        ("Average", {}, [X3, X3, X3], 2 * 3 * 3),
        ("Multiply", {}, [X3, X3], 2 * 3),
        ("Dot", {"axes": 1}, [X3, X3], 2 * 2 * 3),
        ("GlobalAveragePooling1D", {}, X4, 2 * 4 * 3),
    ],
)
def test_layers_of_keras(name, config, arguments, expected):
    cost = model_cost(getattr(keras.layers, name)(**config), arguments).total
    assert (cost.flops, cost.not_counted) == (expected, ())
