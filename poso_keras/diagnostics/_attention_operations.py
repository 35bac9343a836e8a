"""The arithmetic of our attention layers: one function for each step that they take."""

from poso_keras._attention import SingleQueryAttention
from poso_keras._tensors import Shape
from poso_keras.diagnostics._calls import LayerCall
from poso_keras.diagnostics._operations import (
    SOFTMAX,
    Operations,
    broadcast_size,
    elements,
)
from poso_keras.poso_attention import POSOMultiHeadAttention
from poso_keras.sequence_attention import SequenceAttention


def sequence_attention(layer: SequenceAttention, call: LayerCall) -> Operations:
    """Counts one call of the plain attention."""
    query, value, mask, shared = _shapes(call)
    queries = elements(query[:1])
    projection = _projected_query(layer, query, shared)
    if layer.attends_one(shared, value, mask):
        return projection + _attended_one(layer, queries, value, mask, gates=0)
    batch = broadcast_size(queries, value[0])
    return (
        projection
        + _pooled(layer, queries, value, mask)
        + _projected_values(layer, batch)
    )


def poso_attention(layer: POSOMultiHeadAttention, call: LayerCall) -> Operations:
    """Counts one call of the personalized attention, less its gates' own part."""
    query, value, mask, shared = _shapes(call)
    projection = _projected_query(layer, query, shared)
    queries, codes = query[0], call.shapes["personalization_code"][0]
    num_gates = sum(gate is not None for gate in (layer.query_gate, layer.key_gate))
    if num_gates:
        queries = broadcast_size(queries, codes)
    copies = elements(layer.query_kernel.shape[:1])
    masking = num_gates * copies * elements((queries, layer.output_dim))
    gate_shape = None if layer.module_gate is None else (codes,)
    if layer.attends_one(shared, value, mask, gate_shape):
        if layer.value_gate is not None:
            masking += broadcast_size(queries, codes) * layer.output_dim
        gates = 0 if gate_shape is None else layer.num_modules
        return (
            projection
            + _attended_one(layer, elements((queries,)), value, mask, gates)
            + Operations(elementwise=masking)
        )
    projected = broadcast_size(queries, value[0])
    batch = broadcast_size(projected, codes)
    if layer.value_mode == "full":
        masking += 2 * layer.num_modules * batch * layer.output_dim
    elif layer.module_gate is not None:  # summed before they are projected
        projected = batch
        masking += 2 * elements((layer.num_modules, layer.num_heads, batch, value[2]))
    if layer.value_gate is not None:
        masking += batch * layer.output_dim
    return (
        projection
        + _pooled(layer, elements((queries,)), value, mask)
        + _projected_values(layer, projected)
        + Operations(elementwise=masking)
    )


def _shapes(call: LayerCall) -> tuple[Shape, Shape, Shape | None, Shape | None]:
    """Shapes of query, value, mask and the shared query; None for a missing one."""
    shapes = call.shapes
    mask = shapes.get("attention_mask") or shapes.get("value_mask")
    return shapes["query"], shapes["value"], mask, shapes.get("shared_query")


def _projected_query(
    layer: SingleQueryAttention, query: Shape, shared: Shape | None
) -> Operations:
    """`project_query`."""
    columns = elements(layer.query_kernel.shape[::2])
    products = elements(query) + elements(shared or (0,))
    added = elements(query[:1]) if shared else 0
    return Operations(products * columns, added * columns)


def _attended_one(
    layer: SingleQueryAttention,
    queries: int,
    value: Shape,
    mask: Shape | None,
    gates: int,
) -> Operations:
    """`attend_one`.

    Args:
        layer: the attention.
        queries: batch size of the query given to it.
        value: [1, seq, value_dim].
        mask: [1, seq], or None.
        gates: modules of the value's projection that are mixed; 0 for one alone.
    """
    seq, dim = elements(value[1:2]), elements(value[2:])
    width = layer.output_dim
    scores = queries * layer.num_heads * seq
    projections = 2 * seq * dim * width + gates * dim * width
    products = 2 * queries * seq * layer.num_heads * width
    masked = 0 if mask is None else scores
    added = queries * width + 2 * layer.num_heads * seq * width
    return Operations(projections + products, added + SOFTMAX * scores + masked)


def _pooled(
    layer: SingleQueryAttention, queries: int, value: Shape, mask: Shape | None
) -> Operations:
    """`pool`; the arguments are those of `_attended_one`, for any batch of values."""
    batch = broadcast_size(queries, value[0])
    seq, dim = elements(value[1:2]), elements(value[2:])
    copies, modules = int(layer.query_kernel.shape[0]), layer.num_maps
    scaled = copies * queries * layer.output_dim
    scores = batch * modules * layer.num_heads * seq
    to_input_space = modules * queries * layer.output_dim * dim
    masked = 0 if mask is None else scores
    return Operations(
        to_input_space + 2 * scores * dim, scaled + SOFTMAX * scores + masked
    )


def _projected_values(layer: SingleQueryAttention, batch: int) -> Operations:
    """`project_pooled`."""
    return Operations(batch * elements(layer.value_kernel.shape))
