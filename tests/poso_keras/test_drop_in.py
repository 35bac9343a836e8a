"""What Keras' own layers take and do, ours take and do as well."""

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
from poso_keras._backend import keras
from tests.helpers.backends import as_arrays
from tests.helpers.layer_checks import named_weights, normal

X, CODE, VALUE = normal(4, 5), normal(4, 3, seed=1), normal(4, 6, 5, seed=2)
WITH_BIAS = [
    (POSODense, {"units": 7}, 7),
    (MLP, {"units": (7, 2)}, 9),
    (POSOMLP, {"units": (7, 2)}, 9),
    (MMoE, {"num_experts": 3, "expert_units": (7, 2)}, 27),
    (POSOMMoE, {"num_experts": 3, "expert_units": (7, 2)}, 27),
]
ATTENTIONS = [(SequenceAttention, {"num_heads": 2, "key_dim": 3})]
ATTENTIONS += [(POSOMultiHeadAttention, {"num_heads": 2, "key_dim": 3})]
ALL = [(kind, config) for kind, config, _ in WITH_BIAS] + ATTENTIONS


def called(kind, config, **options):
    layer = kind(**config, **options)
    inputs = (X, VALUE, CODE) if (kind, config) in ATTENTIONS else (X, CODE)
    return layer, as_arrays(layer(*inputs))


def is_bias(name):
    return "gate/" not in name and "bias" in name


@pytest.mark.parametrize(("kind", "config", "biases"), WITH_BIAS)
def test_biases_have_their_initializer_regularizer_and_constraint(kind, config, biases):
    layer, _ = called(
        kind,
        config,
        bias_initializer="ones",
        bias_regularizer=keras.regularizers.L1(0.5),
        bias_constraint=keras.constraints.NonNeg(),
    )
    values = [w for name, w in named_weights(layer).items() if is_bias(name)]
    assert sum(w.size for w in values) == biases
    assert all((w == 1).all() for w in values)
    assert sum(map(float, layer.losses)) == pytest.approx(0.5 * biases)
    assert sum(w.constraint is not None for w in layer.weights) == len(values)


@pytest.mark.parametrize(("kind", "config"), ALL)
def test_kernels_have_their_initializer_regularizer_and_constraint(kind, config):
    layer, _ = called(
        kind,
        config,
        kernel_initializer="ones",
        kernel_regularizer=keras.regularizers.L1(0.5),
        kernel_constraint=keras.constraints.NonNeg(),
    )
    kernels = [
        w
        for name, w in named_weights(layer).items()
        if "gate/" not in name and not is_bias(name)
    ]
    assert all((w == 1).all() for w in kernels)
    assert sum(map(float, layer.losses)) == pytest.approx(
        0.5 * sum(w.size for w in kernels)
    )
    assert sum(w.constraint is not None for w in layer.weights) == len(kernels)


@pytest.mark.parametrize(("kind", "config"), ALL)
def test_outputs_have_an_activity_regularizer(kind, config):
    layer, outputs = called(
        kind, config, activity_regularizer=keras.regularizers.L1(0.5)
    )
    expected = 0.0  # whatever Keras' own layer makes of these outputs
    for output in outputs:
        keras_own = keras.layers.Activation(
            "linear", activity_regularizer=keras.regularizers.L1(0.5)
        )
        keras_own(output)
        expected += sum(map(float, keras_own.losses))
    assert expected > 0
    assert sum(map(float, layer.losses)) == pytest.approx(expected, rel=1e-5)
    copy = kind.from_config(layer.get_config())
    assert float(copy.activity_regularizer.l1) == 0.5


@pytest.mark.parametrize(("kind", "config"), ALL)
def test_what_is_not_trainable_stays(kind, config):
    layer, _ = called(kind, config)
    assert len(layer.trainable_weights) == len(layer.weights)
    layer.trainable = False
    assert not layer.trainable_weights


@pytest.mark.parametrize(
    "layer", [POSODense(3), MLP((4, 3)), POSOMLP((4, 3))], ids=lambda layer: layer.name
)
def test_a_layer_over_steps_hands_their_mask_on(layer):
    """So that a pooling layer after it leaves the padding out."""
    ids = np.array([[3, 1, 0], [1, 0, 0]])
    embedding = keras.layers.Embedding(4, 5, mask_zero=True)
    steps = layer(embedding(ids), CODE[:2])
    pooled = keras.layers.GlobalAveragePooling1D()(steps)
    valid = (ids != 0)[..., None]
    expected = (as_arrays(steps)[0] * valid).sum(1) / valid.sum(1)
    np.testing.assert_allclose(as_arrays(pooled)[0], expected, rtol=1e-5)
