import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poso_keras import MLP
from poso_keras._backend import keras
from poso_keras.diagnostics import masking_sensitivity
from tests.helpers.small_models import (
    TASKS,
    array,
    batch_of,
    bucket_batch,
    functional_model,
    nothing_is_left_behind,
    subclassed_model,
)

TOLERANCE = {"rtol": 1e-5, "atol": 1e-7}


@pytest.fixture(scope="module")
def functional():
    return functional_model()


@pytest.fixture(scope="module")
def subclassed():
    return subclassed_model()


def hidden_of(model, batch):
    """What the logits of the functional model read, by Keras' own means."""
    towers = [model.get_layer(f"{task}_tower").output for task in TASKS]
    hidden = keras.Model(model.input, towers)(batch)
    return np.concatenate([array(h) for h in hidden], axis=1)


def reference(compute, batches, feature):
    """Row by row, in a loop."""
    changes = []
    for batch in batches:
        masked = {**batch, feature: batch[feature] * 0}
        changes += [
            abs(a - b) for a, b in zip(compute(batch), compute(masked), strict=True)
        ]
    return np.mean(changes, axis=0)


def test_equals_the_mean_change_row_by_row(functional):
    batches = [batch_of(5, seed=1), batch_of(2, seed=2)]
    result = masking_sensitivity(functional, batches, ["features", "code"])
    assert list(result.change) == ["features", "code"]
    for feature, change in result.change.items():
        expected = reference(lambda b: hidden_of(functional, b), batches, feature)
        assert expected.max() > 0.01
        np.testing.assert_allclose(change, expected, **TOLERANCE)
    hidden = np.concatenate([hidden_of(functional, batch) for batch in batches])
    np.testing.assert_allclose(result.magnitude, np.abs(hidden).mean(0), **TOLERANCE)
    total = np.abs(hidden).mean(0).sum()
    for feature, relative in result.relative.items():
        assert relative == pytest.approx(result.change[feature].sum() / total, rel=1e-5)
    assert result.rows == 7
    assert result.blocks == (("long_view_logit", 5), ("like_logit", 5))
    assert nothing_is_left_behind(functional)


def subclassed_hidden(model, batch):
    code = model.bucket(batch["avc_bucket"])
    return [array(h) for h in model.mmoe(batch["features"], code)]


def test_finds_the_last_layers_of_a_subclassed_model(subclassed):
    """Its outputs are reshaped outside of layers."""
    batch = bucket_batch(9)
    result = masking_sensitivity(subclassed, [batch], ["avc_bucket"])
    expected = reference(
        lambda b: np.concatenate(subclassed_hidden(subclassed, b), axis=1),
        [batch],
        "avc_bucket",
    )
    assert [name for name, _ in result.blocks] == [f"{task}_logit" for task in TASKS]
    np.testing.assert_allclose(result.change["avc_bucket"], expected, **TOLERANCE)
    changed = result.rows_changed["avc_bucket"]
    assert changed == (batch["avc_bucket"] != 0).mean()


def test_an_embedding_can_be_masked_itself(subclassed):
    batch = bucket_batch(9)
    result = masking_sensitivity(
        subclassed, [batch], ["features"], masked_layers={"avc": "bucket"}
    )
    assert list(result.change) == ["features", "avc"]
    zero_code = np.zeros((9, 3), "float32")
    without = [array(h) for h in subclassed.mmoe(batch["features"], zero_code)]
    change = np.abs(np.subtract(without, subclassed_hidden(subclassed, batch)))
    expected = np.concatenate(change.mean(axis=1))
    np.testing.assert_allclose(result.change["avc"], expected, **TOLERANCE)
    assert result.rows_changed["avc"] == 1.0
    assert nothing_is_left_behind(subclassed)


def test_a_rare_indicator_moves_only_the_rows_that_have_it(functional):
    batch = batch_of(20)
    batch["code"][:] = 0
    batch["code"][:3, 1] = 1
    result = masking_sensitivity(functional, [batch], ["code", "history"])
    assert result.rows_changed == {"code": 3 / 20, "history": 1.0}
    rare = {name: values[:3] for name, values in batch.items()}
    alone = masking_sensitivity(functional, [rare], ["code"])
    np.testing.assert_allclose(
        result.change["code"], alone.change["code"] * 3 / 20, rtol=1e-4, atol=1e-6
    )


def test_a_feature_the_model_does_not_read_changes_nothing(subclassed):
    batch = {**bucket_batch(4), "unused": np.ones(4)}
    result = masking_sensitivity(subclassed, [batch], ["unused"])
    assert not result.change["unused"].any()
    assert result.relative == result.rows_changed == {"unused": 0.0}


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_it_does_not_matter_how_rows_are_batched(functional, sizes):
    rows = batch_of(sum(sizes))
    cuts = np.cumsum(sizes)[:-1]
    parts = zip(*(np.split(values, cuts) for values in rows.values()), strict=True)
    batches = [dict(zip(rows, part, strict=True)) for part in parts]
    split = masking_sensitivity(functional, batches, ["code"])
    whole = masking_sensitivity(functional, [rows], ["code"])
    assert split.rows == whole.rows == sum(sizes)
    np.testing.assert_allclose(
        split.change["code"], whole.change["code"], rtol=1e-4, atol=1e-6
    )
    assert split.rows_changed == pytest.approx(whole.rows_changed)


def test_features_of_several_inputs_are_masked_together(functional):
    batch = batch_of(6)
    names = {"user": ["code", "features"], "history": "history"}
    result = masking_sensitivity(functional, [batch], names)
    assert list(result.change) == ["user", "history"]
    masked = {**batch, "code": batch["code"] * 0, "features": batch["features"] * 0}
    change = np.abs(hidden_of(functional, batch) - hidden_of(functional, masked))
    np.testing.assert_allclose(result.change["user"], change.mean(0), **TOLERANCE)


@pytest.mark.parametrize(
    ("layer", "blocks"),
    [
        ("long_view_tower", (("long_view_tower", 5),)),
        (["like_tower", "attention"], (("like_tower", 5), ("attention", 8))),
        ("mmoe", (("mmoe[0]", 4), ("mmoe[1]", 4))),
        ("attention/key_gate", (("attention/key_gate", 8),)),
        ("key_gate/hidden", (("attention/key_gate/hidden", 16),)),
    ],
)
def test_named_layers_are_looked_at_in_place_of_the_last(functional, layer, blocks):
    result = masking_sensitivity(functional, [batch_of(4)], ["code"], layer)
    assert result.blocks == blocks
    assert len(result.magnitude) == sum(width for _, width in blocks)
    assert result.change["code"].max() > 0


def test_all_axes_of_an_activation_are_units():
    inputs = {"x": keras.Input((4, 3), name="x")}
    outputs = keras.layers.Dense(2, name="dense")(inputs["x"])
    model = keras.Model(inputs, keras.layers.Flatten()(outputs))
    batch = {"x": np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")}
    result = masking_sensitivity(model, [batch], ["x"])
    expected = np.abs(batch["x"]).mean(0).ravel()
    np.testing.assert_allclose(result.change["x"], expected, **TOLERANCE)
    np.testing.assert_allclose(result.magnitude, expected, **TOLERANCE)


def test_the_last_layer_may_be_part_of_another():
    """The last dense layer of a stack, not the stack, makes the output."""
    inputs = {"x": keras.Input((3,), name="x")}
    head = MLP((4, 1), activation=None, dropout=0.5, name="head")
    model = keras.Model(inputs, head(inputs["x"]))
    result = masking_sensitivity(model, [{"x": np.ones((2, 3), "float32")}], ["x"])
    assert result.blocks == (("head/dense_1", 4),)


def test_heads_that_read_the_same_tensor_share_their_units():
    inputs = {"x": keras.Input((3,), name="x")}
    hidden = keras.layers.Dense(4)(inputs["x"])
    heads = [keras.layers.Dense(1, name=name)(hidden) for name in TASKS]
    result = masking_sensitivity(
        keras.Model(inputs, heads), [{"x": np.ones((2, 3), "float32")}], ["x"]
    )
    assert result.blocks == (("long_view", 4),)


def test_batches_may_carry_labels(functional):
    batch = batch_of(4)
    plain = masking_sensitivity(functional, [batch], ["code"])
    labelled = masking_sensitivity(functional, [(batch, np.ones(4))], ["code"])
    np.testing.assert_array_equal(plain.change["code"], labelled.change["code"])


def test_dropout_is_off(functional):
    batch = {**batch_of(4), "code": np.zeros((4, 3), "float32")}
    result = masking_sensitivity(functional, [batch], ["code"])
    assert not result.change["code"].any()


def test_numbers_for_json(functional):
    result = masking_sensitivity(functional, [batch_of(4)], ["code"])
    numbers = json.loads(json.dumps(result.to_dict()), parse_constant=pytest.fail)
    assert numbers["features"]["code"]["change"] == result.change["code"].tolist()
    assert numbers["blocks"] == [["long_view_logit", 5], ["like_logit", 5]]


def test_without_any_activation_the_relative_change_is_undefined():
    inputs = {"x": keras.Input((3,), name="x")}
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs["x"]))
    result = masking_sensitivity(model, [{"x": np.zeros((2, 3), "float32")}], ["x"])
    assert math.isnan(result.relative["x"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": ["cod"]}, "must be an input.*'cod'; the batch has code"),
        ({"features": []}, "must name at least one feature"),
        ({"features": ["code"], "masked_layers": {"code": "mmoe"}}, "none twice"),
        ({"features": ["code"], "layer": "mmo"}, "'mmo'; the model has mmoe"),
        ({"features": ["code"], "layer": "gates"}, "give the path.*mmoe/gate/gates"),
        ({"features": ["code"], "batches": []}, "at least one row"),
    ],
)
def test_wrong_arguments_are_named(functional, arguments, message):
    with pytest.raises(ValueError, match=message):
        masking_sensitivity(
            **{"model": functional, "batches": [batch_of(2)], **arguments}
        )
    assert nothing_is_left_behind(functional)


def test_batches_of_the_wrong_kind_are_named(functional, subclassed):
    with pytest.raises(TypeError, match=r"must be a mapping.*Received: ndarray"):
        masking_sensitivity(functional, [np.ones((2, 3))], ["code"])
    words = {**bucket_batch(2), "country": np.array(["de", "cn"])}
    with pytest.raises(TypeError, match=r"must be numeric.*'country'"):
        masking_sensitivity(subclassed, [words], ["country"])


class SquaringModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, name="dense")
        self.idle = keras.layers.Dense(2, name="idle")
        self.idle.build((None, 3))

    def call(self, inputs):
        return self.dense(inputs["x"]) ** 2


def test_where_the_last_layers_cannot_be_told_they_must_be_named():
    batch = {"x": np.ones((2, 3), "float32")}
    with pytest.raises(ValueError, match=r"name some with `layer`.*dense"):
        masking_sensitivity(SquaringModel(), [batch], ["x"])
    result = masking_sensitivity(SquaringModel(), [batch], ["x"], layer="dense")
    assert result.change["x"].all()


def test_a_masked_layer_that_the_model_does_not_call_is_an_error():
    batch = {"x": np.ones((2, 3), "float32")}
    model = SquaringModel()
    with pytest.raises(ValueError, match=r"must be called.*idle, not called"):
        masking_sensitivity(
            model, [batch], ["x"], layer="dense", masked_layers=["idle"]
        )
    assert nothing_is_left_behind(model)


def test_the_plot_has_a_strip_a_feature(functional):
    pytest.importorskip("matplotlib")
    result = masking_sensitivity(functional, [batch_of(4)], ["features", "code"])
    ax = result.plot()
    strips = [np.ravel(image.get_array()) for image in ax.images]
    np.testing.assert_array_equal(strips, list(result.change.values()))
    # One colour is one amount in all strips.
    top = max(change.max() for change in result.change.values())
    assert {image.get_clim() for image in ax.images} == {(0.0, top)}
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0].startswith("features  ")
    assert {"long_view_logit", "like_logit"} <= {text.get_text() for text in ax.texts}
