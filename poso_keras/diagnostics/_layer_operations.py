"""The arithmetic of this library's layers; see `_operations` for how it is counted.

A rule counts one call of a layer, less what its sub-layers do.
"""

import functools
from collections.abc import Mapping

from poso_keras._experts import ExpertMixture
from poso_keras.diagnostics._attention_operations import (
    poso_attention,
    sequence_attention,
)
from poso_keras.diagnostics._calls import LayerCall
from poso_keras.diagnostics._keras_operations import Rule
from poso_keras.diagnostics._operations import (
    SOFTMAX,
    Operations,
    activation_operations,
    broadcast_size,
    elements,
)
from poso_keras.mlp import MLP
from poso_keras.mmoe import MMoE
from poso_keras.personalization_gate import PersonalizationGate
from poso_keras.poso_attention import POSOMultiHeadAttention
from poso_keras.poso_dense import POSODense
from poso_keras.poso_mlp import POSOMLP
from poso_keras.poso_mmoe import POSOMMoE
from poso_keras.sequence_attention import SequenceAttention


@functools.cache
def layer_rules() -> Mapping[type, Rule]:
    """Returns how each layer class of the library is counted.

    A subclass is counted by the same rule as long as it keeps the class's `call`.
    """
    return {
        MLP: _sublayers_alone,
        MMoE: _mmoe,
        PersonalizationGate: _gate,
        POSODense: _poso_dense,
        POSOMLP: _sublayers_alone,
        POSOMMoE: _poso_mmoe,
        POSOMultiHeadAttention: poso_attention,
        SequenceAttention: sequence_attention,
    }


def _sublayers_alone(layer: MLP | POSOMLP, call: LayerCall) -> Operations:
    return Operations()


def _gate(layer: PersonalizationGate, call: LayerCall) -> Operations:
    """Its dense layers are sub-layers; what is left is the scale, once a code."""
    code = call.shapes["personalization_code"]
    return Operations(elementwise=elements(layer.compute_output_shape(code)))


def _poso_dense(layer: POSODense, call: LayerCall) -> Operations:
    inputs, code = call.shapes["inputs"], call.shapes["personalization_code"]
    outputs = elements(inputs[:-1]) * layer.units
    gated = layer.compute_output_shape(inputs, code, call.shapes.get("code_rows"))
    return (
        Operations(outputs * elements(inputs[-1:]))
        + Operations(elementwise=outputs * layer.use_bias + elements(gated))
        + activation_operations(layer.activation, outputs)
    )


def _mmoe(layer: MMoE, call: LayerCall) -> Operations:
    return _mixture(layer, call, elements(call.shapes["inputs"][:1]))


def _poso_mmoe(layer: POSOMMoE, call: LayerCall) -> Operations:
    code = call.shapes["personalization_code"]
    rows = call.shapes.get("code_rows")
    mixed = broadcast_size(call.shapes["inputs"][0], (rows or code)[0])
    gated = Operations(elementwise=layer.num_tasks * mixed * layer.num_experts)
    codes = None
    if layer.expert_gates:
        codes = (rows or call.shapes.get("expert_code", code))[0]
        mixed = broadcast_size(mixed, codes)
    return gated + _mixture(layer, call, mixed, codes)


def _mixture(
    layer: ExpertMixture, call: LayerCall, mixed: int, codes: int | None = None
) -> Operations:
    """`expert_outputs`, `task_weights` and `mix`.

    Args:
        layer: the mixture of experts.
        call: with `inputs` and, possibly, `shared_inputs`, columns that rows share.
        mixed: batch size of the weights given to `mix`.
        codes: batch size of the gates on the experts' layers, or None without.
    """
    shape = call.shapes["inputs"]
    inputs, width = elements(shape[:1]), elements(shape[1:])
    shared_width = elements(call.shapes.get("shared_inputs") or (0,))
    weights = layer.num_tasks * inputs * layer.num_experts
    gates_and_units = layer.num_experts * (layer.num_tasks + layer.expert_units[0])
    total = Operations(
        weights * width
        + shared_width * gates_and_units
        + layer.num_tasks * mixed * layer.num_experts * layer.expert_units[-1],
        SOFTMAX * weights + (weights if shared_width else 0),
    )
    for units in layer.expert_units:
        outputs = layer.num_experts * inputs * units
        added = outputs * layer.use_bias
        if shared_width:  # the bias is added to what is shared, that to the rest
            added = outputs + layer.num_experts * units * layer.use_bias
        total += Operations(outputs * width, added)
        total += activation_operations(layer.activation, outputs)
        width, shared_width = units, 0
        if codes is not None:  # the next layers run on as many rows as gates give
            inputs = broadcast_size(inputs, codes)
            total += Operations(elementwise=layer.num_experts * inputs * units)
    return total
