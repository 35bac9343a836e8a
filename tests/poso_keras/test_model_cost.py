import json
import math
from typing import Any

import numpy as np
import pytest

import poso_keras
from poso_keras._backend import KERAS_3, keras
from poso_keras.diagnostics import Operations, model_cost
from tests.helpers.small_models import (
    TASKS,
    array,
    batch_of,
    bucket_batch,
    functional_model,
    nothing_is_left_behind,
    subclassed_model,
)

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
    """ReLU and bias of 3 experts, softmax of 2 tasks; POSO: one gate a weight."""
    plain = cost_of(poso_keras.MMoE(3, (5, 4), 2), X)
    assert plain.flops - 2 * plain.multiply_adds == ROWS * (2 * 3 * (5 + 4) + 5 * 2 * 3)
    layer = poso_keras.POSOMMoE(3, (5, 4), 2)
    poso, gate = cost_of(layer, X, CODE), cost_of(layer.gate, CODE)
    assert poso.flops == plain.flops + gate.flops + ROWS * 2 * 3


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
    cost = cost_of(getattr(keras.layers, name)(**config), arguments)
    assert (cost.flops, cost.not_counted) == (expected, ())


def test_a_model_is_the_sum_of_its_modules():
    model = functional_model()
    cost = model_cost(model)
    assert [row.module for row in cost.rows if row.parameters] == [
        "attention",
        "mmoe",
        *(f"{task}_{part}" for part in ("tower", "logit") for task in TASKS),
    ]
    assert cost.total.module == "ranking"
    assert cost.total.parameters == model.count_params()
    assert cost.total.flops == sum(row.flops for row in cost.rows)
    assert cost.total.parameters == sum(row.parameters for row in cost.rows)
    assert sum(row.share for row in cost.rows) == pytest.approx(1.0)
    assert cost.total.not_counted == ()
    batch = batch_of(4)
    assert model_cost(model, batch).total.flops == 4 * cost.total.flops
    assert nothing_is_left_behind(model)


def test_depth_shows_sub_layers_that_are_part_of_their_module():
    cost = model_cost(functional_model(), depth=3)
    rows = {row.module: row for row in cost.rows}
    gate = rows["mmoe/gate"]
    inside = [rows["mmoe/gate/hidden"], rows["mmoe/gate/gates"]]
    assert gate.parameters == sum(row.parameters for row in inside)
    assert gate.flops == sum(row.flops for row in inside) + 3  # the factor C
    assert list(rows).index("mmoe") < list(rows).index("mmoe/gate")


def test_a_subclassed_model_names_its_own_arithmetic():
    model = subclassed_model()
    cost = model_cost(model, bucket_batch(2))
    # tf_keras sorts the layers of a dict by key.
    modules = sorted(row.module for row in cost.rows)
    assert modules == ["bucket", "like_logit", "long_view_logit", "mmoe"]
    assert cost.total.parameters == model.count_params()
    assert cost.total.flops == sum(row.flops for row in cost.rows)
    assert cost.total.not_counted == ("ranking",)
    assert str(cost).endswith("not counted: ranking")
    reshapes = {type(model): lambda layer, call: Operations()}
    assert model_cost(model, bucket_batch(2), rules=reshapes).total.not_counted == ()
    assert nothing_is_left_behind(model)


class Doubling(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2.0


class Counted(Doubling):
    def count_operations(self, inputs_shape):
        return Operations(elementwise=math.prod(inputs_shape))


def test_an_unknown_layer_is_named_and_never_zero():
    inputs = keras.Input((3,))
    hidden = Doubling(name="doubling")(keras.layers.Dense(4, name="dense")(inputs))
    model = keras.Model(inputs, hidden, name="model")
    cost = model_cost(model)
    dense, doubling = cost.rows[-2:]
    assert (dense.flops, dense.not_counted, dense.share) == (28, (), 1.0)
    assert math.isnan(doubling.flops)
    assert math.isnan(doubling.share)
    assert doubling.not_counted == cost.total.not_counted == ("doubling",)
    assert cost.total.flops == 28
    assert ">= 28" in str(cost)
    assert cost.to_dict()["rows"][-1]["flops"] is None
    json.loads(json.dumps(cost.to_dict()), parse_constant=pytest.fail)
    rules = {Doubling: lambda layer, call: Operations(elementwise=4)}
    assert model_cost(model, rules=rules).total.flops == 32


def test_layers_say_themselves_what_they_compute():
    assert cost_of(Counted(), X).flops == X.size


class Squared(poso_keras.MLP):
    def call(self, inputs, personalization_code=None, training=None):
        return super().call(inputs, training=training) ** 2


def test_a_subclass_with_a_call_of_its_own_is_not_counted_as_its_parent():
    assert cost_of(Squared((3,), name="squared"), X).not_counted == ("squared",)


def test_a_cosine_is_not_wholly_counted():
    cost = cost_of(keras.layers.Dot(1, normalize=True, name="cosine"), [X, X])
    assert (cost.multiply_adds, cost.not_counted) == (X.size, ("cosine",))


def test_an_unknown_activation_is_named_beside_what_is_known():
    layer = keras.layers.Dense(4, activation=lambda x: x * x, name="square")
    cost = cost_of(layer, X)
    assert cost.multiply_adds == ROWS * 6 * 4
    assert cost.not_counted == ("square",)


def test_operations_in_a_functional_graph_are_named():
    inputs = keras.Input((3,))
    cost = model_cost(keras.Model(inputs, keras.layers.Dense(1)(inputs) * 2.0))
    assert len(cost.total.not_counted) == 1
    assert cost.total.flops == 7


def test_a_shared_layer_owns_its_weights_once_and_works_twice():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = keras.layers.Dense(4)
    both = keras.layers.Add()([shared(a), shared(b)])
    cost = model_cost(keras.Model([a, b], both)).total
    assert (cost.parameters, cost.flops) == (16, 2 * 28 + 4)


class TwoOfOneName(keras.layers.Layer):
    def __init__(self):
        super().__init__(name="pair")
        self.first = keras.layers.Dense(2, name="dense")
        self.second = keras.layers.Dense(3, name="dense")

    def call(self, inputs):
        return self.second(self.first(inputs))


def test_siblings_of_one_name_have_rows_of_their_own():
    rows = model_cost(TwoOfOneName(), X).rows
    assert [(row.module, row.parameters) for row in rows] == [
        ("dense", 14),
        ("dense_1", 9),
    ]


def test_weights_that_are_not_trained_are_parameters():
    cost = cost_of(keras.layers.BatchNormalization(), X)
    assert cost.parameters == 4 * 6


def test_sequential_models_and_those_inside_others():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.Sequential([keras.layers.Dense(4, name="inner")], name="block"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    cost = model_cost(model, depth=2)
    rows = {row.module: row.flops for row in cost.rows}
    assert rows["block"] == rows["block/inner"] == 4 * 13
    assert cost.total.flops == 4 * 13 + 9
    assert cost.total.not_counted == ()


def test_outputs_are_those_of_inference_and_unchanged():
    model, batch = functional_model(), batch_of(4)
    before = [array(y) for y in model(batch)]
    model_cost(model, batch)
    for old, new in zip(before, model(batch), strict=True):
        np.testing.assert_array_equal(old, array(new))


def test_a_failing_call_leaves_nothing_behind():
    model = functional_model()
    wrong = {**batch_of(2), "code": np.ones((2, 9), "float32")}
    with pytest.raises(Exception, match=r"(?i)shape|dim"):
        model_cost(model, wrong)
    assert nothing_is_left_behind(model)


def test_inputs_are_needed_where_shapes_are_unknown():
    with pytest.raises(
        ValueError, match=r"`inputs` is needed .* Received: inputs=None"
    ):
        model_cost(subclassed_model())
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match=r"unknown sizes.*\(None, None, 3\)"):
        model_cost(model)
    assert model_cost(model, X4).total.flops == 2 * 4 * 2 * 7


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.function")
def test_a_compiled_call_that_hides_its_layers_is_an_error():
    import tensorflow as tf

    class Compiled(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="compiled")
            self.dense = keras.layers.Dense(2)

        @tf.function
        def call(self, inputs):
            return self.dense(inputs)

    with pytest.raises(ValueError, match=r"must be plain Python.*'compiled'"):
        model_cost(Compiled(), X)


def test_the_plot_shows_shares_of_the_model():
    pytest.importorskip("matplotlib")
    cost = model_cost(functional_model())
    ax = cost.plot()
    lengths = [bar.get_width() for bar in ax.patches]
    shares = [row.parameters / cost.total.parameters for row in cost.rows]
    shares += [row.share for row in cost.rows]
    np.testing.assert_allclose(lengths, 100 * np.array(shares), rtol=1e-6)
    assert [t.get_text() for t in ax.get_yticklabels()] == [r.module for r in cost.rows]
    assert cost.plot(ax=ax) is ax
