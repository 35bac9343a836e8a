"""The table of a model's modules: sums, names, depths, and what is not counted."""

import json
import math

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


def cost_of(layer, *arguments):
    return model_cost(layer, arguments).total


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
    assert model_cost(model, np.ones((2, 4, 3), "float32")).total.flops == 2 * 4 * 2 * 7


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
