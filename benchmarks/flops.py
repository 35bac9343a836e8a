"""Counts floating-point operations of a forward pass, by TensorFlow's profiler."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)


def count_flops(call: Callable[..., Any], inputs: Sequence[tf.Tensor]) -> int:
    """Returns the operations of one call, a multiplication and an addition being two.

    The graph is frozen and handed to the profiler, which knows products, biases,
    sums and element-wise arithmetic, but neither activations nor `Einsum`; the latter
    is added here.
    """
    specs = [tf.TensorSpec(x.shape, x.dtype) for x in inputs]
    function = tf.function(call, autograph=False).get_concrete_function(*specs)
    graph = convert_variables_to_constants_v2(function).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    total = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    einsums = [op for op in graph.get_operations() if op.type == "Einsum"]
    return int(total.total_float_ops) + sum(map(_einsum_flops, einsums))


def _einsum_flops(operation: tf.Operation) -> int:
    equation = operation.get_attr("equation").decode()
    sizes: dict[str, int] = {}
    terms = equation.split("->")[0].split(",")
    for term, tensor in zip(terms, operation.inputs, strict=True):
        sizes.update(zip(term, tensor.shape.as_list(), strict=True))
    return 2 * math.prod(sizes.values())
