"""Turns the weights that a signature reads whole into constants of its graph.

A server then does before the first request what depends on weights alone: slicing,
transposing and packing them for matrix products. Embedding tables, of which a request
reads some rows, stay variables.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# A graph may take 2 GB and each signature has its own copy.
MAX_CONSTANT_BYTES = 16 * 2**20

_READ = "ReadVariableOp"


def with_constant_weights(function: Any) -> Any:
    """The same concrete function with constants in place of dense weights.

    Args:
        function: A concrete function whose arguments are named tensors and whose
            outputs are a mapping of tensors.

    Returns:
        A concrete function of the same signature.
    """
    graph = function.graph
    constants = _constant_reads(graph)
    arguments = {tensor.op.name: tensor for tensor in _arguments(function)}
    graph_def = graph.as_graph_def()
    names = sorted(function.structured_outputs)

    @tf.function(autograph=False)
    def constant(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        replaced = {arguments[name].name: value for name, value in inputs.items()}
        for outer, inner in graph.captures:
            replaced[inner.name] = tf.compat.v1.get_default_graph().capture(outer)
        for name, value in constants.items():
            replaced[name] = tf.constant(value)
        outputs = tf.graph_util.import_graph_def(
            graph_def,
            input_map=replaced,
            return_elements=[function.structured_outputs[n].name for n in names],
            name="",
        )
        return dict(zip(names, outputs, strict=True))

    return constant.get_concrete_function(
        **{
            name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
            for name, tensor in arguments.items()
        }
    )


def _arguments(function: Any) -> list[tf.Tensor]:
    captured = {inner.name for _, inner in function.graph.captures}
    return [tensor for tensor in function.inputs if tensor.name not in captured]


def _constant_reads(graph: Any) -> dict[str, Any]:
    """Values by the name of the tensor that a variable is read into."""
    inner = {id(outer): tensor for outer, tensor in graph.captures}
    reads: dict[str, Any] = {}
    for variable in graph.variables:
        uses = inner[id(variable.handle)].consumers()
        if any(use.type != _READ for use in uses):
            continue
        value = variable.numpy()
        if value.nbytes <= MAX_CONSTANT_BYTES:
            reads.update({use.outputs[0].name: value for use in uses})
    return reads
