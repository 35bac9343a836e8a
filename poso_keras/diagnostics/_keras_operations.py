"""The arithmetic of Keras' own layers in inference; see `_operations`."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from poso_keras._backend import as_shape, keras
from poso_keras.diagnostics._calls import LayerCall, flatten
from poso_keras.diagnostics._operations import (
    SOFTMAX,
    Operations,
    activation_operations,
    elements,
)

Rule: TypeAlias = Callable[[Any, LayerCall], Operations]

# They move, repeat, select or look up, or do nothing in inference.
_FREE = (
    "ActivityRegularization",
    "AlphaDropout",
    "Concatenate",
    "Cropping1D",
    "Discretization",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Hashing",
    "Identity",
    "InputLayer",
    "IntegerLookup",
    "Permute",
    "RepeatVector",
    "Reshape",
    "SpatialDropout1D",
    "StringLookup",
    "ZeroPadding1D",
)
# FLOPs per element of the output.
_PER_OUTPUT = {
    "BatchNormalization": 2,  # one scale and one shift, worked out beforehand
    "LeakyReLU": 2,
    "Normalization": 2,
    "ReLU": 1,
    "Rescaling": 2,
    "Softmax": SOFTMAX,
}
# FLOPs per element of the input.
_PER_INPUT = {"GlobalAveragePooling1D": 1, "GlobalMaxPooling1D": 1}
# Layers that merge k inputs: k - 1 FLOPs per element of the output, and what is added.
_MERGING = {
    "Add": 0,
    "Average": 1,
    "Maximum": 0,
    "Minimum": 0,
    "Multiply": 0,
    "Subtract": 0,
}


@functools.cache
def keras_rules() -> Mapping[type, Rule]:
    """Returns how each known layer class is counted. Subclasses are not implied."""
    rules: dict[str, Rule] = {
        **dict.fromkeys(_FREE, lambda layer, call: Operations()),
        **{name: _per_output(each) for name, each in _PER_OUTPUT.items()},
        **{name: _per_input(each) for name, each in _PER_INPUT.items()},
        **{name: _merging(extra) for name, extra in _MERGING.items()},
        "Activation": _activation,
        "Dense": _dense,
        "Dot": _dot,
        "EinsumDense": _einsum_dense,
        "LayerNormalization": _layer_normalization,
    }
    return {
        getattr(keras.layers, name): rule
        for name, rule in rules.items()
        if hasattr(keras.layers, name)  # the two generations differ a little
    }


def _output_size(call: LayerCall) -> int:
    return sum(elements(as_shape(output)) for output in flatten(call.outputs))


def _per_output(each: int) -> Rule:
    return lambda layer, call: Operations(elementwise=each * _output_size(call))


def _per_input(each: int) -> Rule:
    return lambda layer, call: Operations(
        elementwise=each * sum(elements(as_shape(x)) for x in call.inputs)
    )


def _merging(extra: int) -> Rule:
    return lambda layer, call: Operations(
        elementwise=(len(call.inputs) - 1 + extra) * _output_size(call)
    )


def _activation(layer: Any, call: LayerCall) -> Operations:
    return activation_operations(layer.activation, _output_size(call))


def _dense(layer: Any, call: LayerCall) -> Operations:
    outputs = _output_size(call)
    width = elements(as_shape(call.inputs[0])[-1:])
    bias = Operations(elementwise=outputs * bool(layer.use_bias))
    product = Operations(outputs * width)
    return product + bias + activation_operations(layer.activation, outputs)


def _einsum_dense(layer: Any, call: LayerCall) -> Operations:
    """One multiply-add per element of the output and of what is summed over."""
    operands, result = layer.equation.replace(" ", "").split("->")
    sizes: dict[str, int | None] = {}
    shapes = (as_shape(call.inputs[0]), as_shape(layer.kernel))
    for labels, shape in zip(operands.split(","), shapes, strict=True):
        head, _, tail = labels.partition("...")
        sizes.update(zip(head, shape, strict=False))
        sizes.update(zip(tail[::-1], shape[::-1], strict=False))
    summed = [size for label, size in sizes.items() if label not in result]
    outputs = _output_size(call)
    bias = Operations(elementwise=outputs * (layer.bias_axes is not None))
    product = Operations(outputs * elements(summed))
    return product + bias + activation_operations(layer.activation, outputs)


def _dot(layer: Any, call: LayerCall) -> Operations:
    """Normalising (cosine) is left uncounted."""
    axes = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    contracted = elements((as_shape(call.inputs[0])[axes],))
    return Operations(_output_size(call) * contracted, complete=not layer.normalize)


def _layer_normalization(layer: Any, call: LayerCall) -> Operations:
    """Mean, difference, square, mean, division: 5 per element, and scale and shift."""
    outputs = _output_size(call)
    each = 5 + bool(layer.scale) + bool(layer.center)
    return Operations(elementwise=each * outputs)
