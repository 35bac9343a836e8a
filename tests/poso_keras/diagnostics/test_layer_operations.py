"""What each layer of the library computes, against other counters."""

import math
from typing import Any

import numpy as np
import pytest

import poso_keras
from poso_keras._backend import KERAS_3, keras
from poso_keras.diagnostics import model_cost
from poso_keras.diagnostics._layer_tree import layers_by_path

BACKEND = keras.backend.backend() if KERAS_3 else "tensorflow"
ROWS = 3
X, CODE = np.ones((ROWS, 6), "float32"), np.ones((ROWS, 2), "float32")
VALUE, MASK = np.ones((ROWS, 5, 4), "float32"), np.ones((ROWS, 5), bool)
MODES = [
    ("shared", "gated", "full"),
    ("full", "full", "full"),
    ("shared", "full", "gated"),
    ("gated", "gated", "shared"),
]
LAYERS: dict[str, tuple[Any, tuple[np.ndarray, ...]]] = {
    "gate": (lambda: poso_keras.PersonalizationGate(5), (CODE,)),
    "dense": (lambda: poso_keras.POSODense(5), (X, CODE)),
    "dense of a sequence": (lambda: poso_keras.POSODense(5), (VALUE, CODE)),
    "mlp": (lambda: poso_keras.MLP((5, 4)), (X,)),
    "poso mlp": (lambda: poso_keras.POSOMLP((5, 4)), (X, CODE)),
    "mmoe": (lambda: poso_keras.MMoE(3, (5, 4), 2), (X,)),
    "poso mmoe": (lambda: poso_keras.POSOMMoE(3, (5, 4), 2), (X, CODE)),
    "poso mmoe with gates on experts": (
        lambda: poso_keras.POSOMMoE(3, (5, 4), 2, expert_gates=True),
        (X, CODE),
    ),
    "attention": (lambda: poso_keras.SequenceAttention(2, 4), (X, VALUE)),
    **{
        f"poso attention {' '.join(modes)}": (
            lambda modes=modes: poso_keras.POSOMultiHeadAttention(2, 4, 3, *modes),
            (X, VALUE, CODE, MASK),
        )
        for modes in MODES
    },
}
USER, ONE_CODE = np.ones((1, 3), "float32"), np.ones((1, 2), "float32")
ONE_VALUE, ONE_MASK = np.ones((1, 5, 4), "float32"), np.ones((1, 5), bool)
FOR_ONE_USER: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "mmoe": (lambda: poso_keras.MMoE(3, (5, 4), 2), (X, ONE_CODE, USER)),
    "poso mmoe": (lambda: poso_keras.POSOMMoE(3, (5, 4), 2), (X, ONE_CODE, USER)),
    "poso mmoe with gates on experts": (
        lambda: poso_keras.POSOMMoE(3, (5, 4), 2, expert_gates=True),
        (X, ONE_CODE, USER),
    ),
    "poso mmoe with one row and several codes": (
        lambda: poso_keras.POSOMMoE(3, (5, 4), 2, expert_gates=True),
        (X[:1], CODE),
    ),
    "attention": (
        lambda: poso_keras.SequenceAttention(2, 4),
        (X, ONE_VALUE, ONE_CODE, ONE_MASK, ONE_MASK, USER),
    ),
    **{
        f"poso attention {' '.join(modes)}": (
            lambda modes=modes: poso_keras.POSOMultiHeadAttention(2, 4, 3, *modes),
            (X, ONE_VALUE, ONE_CODE, ONE_MASK, ONE_MASK, USER),
        )
        for modes in MODES
    },
}


def cost_of(layer, *arguments):
    return model_cost(layer, arguments).total


@pytest.mark.parametrize("name", LAYERS)
def test_matrix_products_equal_another_counters(name):
    make, arguments = LAYERS[name]
    layer = make()
    layer(*arguments)
    counters = {"torch": torch_multiply_adds, "jax": jax_multiply_adds}
    counter = counters.get(BACKEND, tensorflow_multiply_adds)
    cost = cost_of(layer, *arguments)
    assert cost.multiply_adds == counter(layer, arguments)
    assert not cost.not_counted


@pytest.mark.skipif(BACKEND != "tensorflow", reason="one counter is enough")
@pytest.mark.parametrize("name", FOR_ONE_USER)
def test_matrix_products_for_one_user_equal_another_counters(name):
    make, arguments = FOR_ONE_USER[name]
    layer = make()
    layer(*arguments)
    cost = cost_of(layer, *arguments)
    assert cost.multiply_adds == tensorflow_multiply_adds(layer, arguments)
    assert not cost.not_counted


def torch_multiply_adds(layer, arguments):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        layer(*arguments)
    return counter.get_total_flops() / 2


def jax_multiply_adds(layer, arguments):
    """Of every dot_general: elements of the result times those summed over."""
    import jax

    def count(jaxpr):
        total = 0
        for equation in jaxpr.eqns:
            inner = [getattr(p, "jaxpr", p) for p in equation.params.values()]
            total += sum(count(p) for p in inner if hasattr(p, "eqns"))
            if equation.primitive.name == "dot_general":
                (summed, _), _ = equation.params["dimension_numbers"]
                left = equation.invars[0].aval.shape
                result = equation.outvars[0].aval.shape
                total += math.prod(result) * math.prod(left[axis] for axis in summed)
        return total

    return count(jax.make_jaxpr(lambda *xs: layer(*xs))(*arguments).jaxpr)


def tensorflow_multiply_adds(layer, arguments):
    """Of every product in the graph: results times what is summed over."""
    total = 0
    for operation in graph_of(layer, arguments).get_operations():
        shapes = [tuple(tensor.shape) for tensor in operation.inputs]
        if operation.type == "MatMul" or operation.type.startswith("BatchMatMul"):
            adjoint = [
                operation.get_attr(a)
                for a in operation.node_def.attr
                if a in ("adj_x", "transpose_a")
            ]
            summed = shapes[0][-2 if any(adjoint) else -1]
            total += math.prod(operation.outputs[0].shape) * summed
        elif operation.type == "Einsum":
            labels = operation.get_attr("equation").decode().split("->")[0].split(",")
            sizes = dict(zip("".join(labels), sum(shapes, ()), strict=True))
            total += math.prod(sizes.values())
    return total


def graph_of(layer, arguments):
    import tensorflow as tf

    traced = tf.function(lambda *tensors: layer(*tensors))
    return traced.get_concrete_function(*map(tf.constant, arguments)).graph


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's profiler")
@pytest.mark.parametrize("units", [(5,), (5, 4)])
def test_flops_equal_tensorflows_profiler(units):
    """It knows products and biases, but neither ReLU nor sigmoid."""
    import tensorflow as tf

    layer = poso_keras.MLP(units, activation=None)
    layer(X)
    options = tf.compat.v1.profiler.ProfileOptionBuilder
    profile = tf.compat.v1.profiler.profile(
        graph_of(layer, (X,)),
        options=options(options.float_operation()).with_empty_output().build(),
    )
    assert cost_of(layer, X).flops == profile.total_float_ops


def test_elementwise_arithmetic_of_a_gate():
    """ReLU 1, sigmoid 4, bias 1 each, and the factor C."""
    cost = cost_of(poso_keras.PersonalizationGate(5, hidden_units=4), CODE)
    per_row = 4 * (1 + 1) + 5 * (1 + 4) + 5
    assert cost.flops - 2 * cost.multiply_adds == ROWS * per_row


def test_elementwise_arithmetic_of_a_dense_layer():
    """Bias, ReLU and the gate: 1 each on 5 units; the gate is multiplied last."""
    layer = poso_keras.POSODense(5, activation="relu", gate_hidden_units=4)
    poso, gate = cost_of(layer, X, CODE), cost_of(layer.gate, CODE)
    assert poso.flops - gate.flops == ROWS * (2 * 6 * 5 + 3 * 5)
    linear = poso_keras.POSODense(5, use_bias=False, gate_hidden_units=4)
    assert poso.flops - cost_of(linear, X, CODE).flops == ROWS * 2 * 5


def test_elementwise_arithmetic_of_the_plain_attention():
    """q / sqrt(d), softmax 5 and the mask 1 a score of 2 heads over 5 events."""
    layer = poso_keras.SequenceAttention(2, 4)
    cost = cost_of(layer, X, VALUE)
    assert cost.flops - 2 * cost.multiply_adds == ROWS * (8 + 5 * 2 * 5)
    masked = cost_of(layer, X, VALUE, None, MASK)
    assert masked.flops - cost.flops == ROWS * 2 * 5


def test_elementwise_arithmetic_of_the_mixture():
    """ReLU and bias of 3 experts, softmax of 2 tasks; POSO: one gate a weight, unit."""
    plain = cost_of(poso_keras.MMoE(3, (5, 4), 2), X)
    assert plain.flops - 2 * plain.multiply_adds == ROWS * (2 * 3 * (5 + 4) + 5 * 2 * 3)
    layer = poso_keras.POSOMMoE(3, (5, 4), 2)
    poso, gate = cost_of(layer, X, CODE), cost_of(layer.gate, CODE)
    assert poso.flops == plain.flops + gate.flops + ROWS * 2 * 3
    layer = poso_keras.POSOMMoE(3, (5, 4), 2, expert_gates=True)
    gated = cost_of(layer, X, CODE)
    gates = sum(cost_of(gate, CODE).flops for gate in layer.layer_gates)
    assert gated.flops == poso.flops + gates + ROWS * 3 * (5 + 4)


@pytest.mark.parametrize("modes", MODES)
def test_elementwise_arithmetic_of_the_personalized_attention(modes):
    """8 wide, 2 heads, 3 modules, 5 events of 4: what each mode multiplies."""
    query, key, value = modes
    layer = poso_keras.POSOMultiHeadAttention(2, 4, 3, *modes)
    total = cost_of(layer, X, VALUE, CODE)
    gates = [
        cost_of(gate, CODE)
        for gate in layer._flatten_layers()
        if isinstance(gate, poso_keras.PersonalizationGate)
    ]
    copies = 3 if query == "full" else 1
    maps = 3 if "full" in (query, key) else 1
    per_row = copies * 8 * (1 + [query, key].count("gated"))  # q / sqrt(d), and gates
    per_row += 5 * maps * 2 * 5  # softmax
    if "full" in modes:
        # Weighed and summed: each module's output, or what it pooled a head.
        per_row += 2 * 3 * (8 if value == "full" else 2 * 4)
    per_row += 8 if value == "gated" else 0
    own_flops = total.flops - sum(gate.flops for gate in gates)
    own_products = total.multiply_adds - sum(gate.multiply_adds for gate in gates)
    assert own_flops - 2 * own_products == ROWS * per_row


@pytest.mark.parametrize("name", LAYERS)
def test_a_batch_costs_as_many_examples(name):
    make, arguments = LAYERS[name]
    layer = make()
    one = cost_of(layer, *(a[:1] for a in arguments))
    batch = cost_of(layer, *arguments)
    assert batch.flops == ROWS * one.flops
    assert batch.parameters == one.parameters == layer.count_params()


@pytest.mark.parametrize("name", ["poso mmoe", "poso attention shared gated full"])
def test_what_depends_on_the_user_alone_is_paid_once(name):
    make, (candidates, *user) = LAYERS[name]
    layer = make()
    shared = cost_of(layer, candidates, *(a[:1] for a in user))
    assert shared.flops < cost_of(layer, candidates, *user).flops


# What comes before the code and, up to `code_rows`, after it. Masks are given: Keras 3
# takes None in the place of `value_mask` for an argument that is missing.
AROUND_CODE: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "gate": ((), ()),
    "dense": ((X,), ()),
    "poso mmoe with gates on experts": ((X,), (None, None)),
    **{
        f"poso attention {' '.join(modes)}": ((X, VALUE), (MASK, MASK, None))
        for modes in MODES
    },
}


@pytest.mark.parametrize("name", AROUND_CODE)
def test_gates_of_distinct_codes_are_paid_once_each(name):
    layer, (before, after) = LAYERS[name][0](), AROUND_CODE[name]
    rows = np.zeros(ROWS, "int32")
    few = model_cost(layer, (*before, CODE[:1], *after, rows))
    each = model_cost(layer, (*before, CODE, *after))
    assert not few.total.not_counted
    gates = [
        part
        for part in layers_by_path(layer).values()
        if isinstance(part, poso_keras.PersonalizationGate)
    ]
    of_one_code = sum(cost_of(gate, CODE[:1]).flops for gate in gates)
    assert each.total.flops - few.total.flops == (ROWS - 1) * of_one_code
