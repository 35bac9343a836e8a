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
    arguments = {tensor.op.name: tensor for tensor in _arguments(function)}
    outputs = function.structured_outputs
    graph_def = _with_constants(function)
    kept = {f"{node.name}:0" for node in graph_def.node}
    captures = [(o, i.name) for o, i in function.graph.captures if i.name in kept]

    @tf.function(autograph=False)
    def constant(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        replaced = {arguments[name].name: value for name, value in inputs.items()}
        for outer, inner in captures:
            replaced[inner] = tf.compat.v1.get_default_graph().capture(outer)
        results = tf.graph_util.import_graph_def(
            graph_def,
            input_map={name: v for name, v in replaced.items() if name in kept},
            return_elements=[output.name for output in outputs.values()],
            name="",
        )
        return dict(zip(outputs, results, strict=True))

    return constant.get_concrete_function(
        **{
            name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
            for name, tensor in arguments.items()
        }
    )


def _arguments(function: Any) -> list[tf.Tensor]:
    captured = {inner.name for _, inner in function.graph.captures}
    return [tensor for tensor in function.inputs if tensor.name not in captured]


def _with_constants(function: Any) -> Any:
    """The function's graph, less what its outputs do not need."""
    constants = _constant_reads(function.graph)
    graph_def = function.graph.as_graph_def()
    for node in graph_def.node:
        if node.name in constants:
            value = constants[node.name]
            dtype = tf.as_dtype(value.dtype)
            node.op = "Const"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = dtype.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype))
    wanted = [output.op.name for output in function.structured_outputs.values()]
    return tf.compat.v1.graph_util.extract_sub_graph(graph_def, wanted)


def _constant_reads(graph: Any) -> dict[str, Any]:
    """Values by the name of the operation that reads a variable."""
    inner = {id(outer): tensor for outer, tensor in graph.captures}
    reads: dict[str, Any] = {}
    for variable in graph.variables:
        uses = inner[id(variable.handle)].consumers()
        if any(use.type != _READ for use in uses):
            continue
        value = variable.numpy()
        if value.nbytes <= MAX_CONSTANT_BYTES:
            reads.update({use.name: value for use in uses})
    return reads
