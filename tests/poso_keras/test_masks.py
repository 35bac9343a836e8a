"""What a mask may look like, and that masked steps change nothing."""

import numpy as np
import pytest

from poso_keras import POSOMultiHeadAttention, SequenceAttention
from tests.helpers.backends import as_arrays, gradients
from tests.helpers.layer_checks import normal, randomize

BATCH, SEQ = 5, 6
LENGTHS = np.array([6, 3, 0, 1, 4])
VALID = np.arange(SEQ) < LENGTHS[:, None]
LAYERS = (SequenceAttention, POSOMultiHeadAttention)
both_layers = pytest.mark.parametrize("layer_class", LAYERS)


def data(users=BATCH):
    return {
        "query": normal(BATCH, 4),
        "value": normal(users, SEQ, 8, seed=1),
        "personalization_code": normal(users, 3, seed=2),
    }


def built(layer_class, dtype="float32", **arrays):
    layer = layer_class(2, 4, dtype=dtype)
    layer(**(arrays or data()))
    randomize(layer)
    return layer


@both_layers
@pytest.mark.parametrize("axes", [(1,), (1, 2)], ids=str)
@pytest.mark.parametrize("argument", ["attention_mask", "value_mask"])
def test_a_mask_may_have_the_axes_of_keras(layer_class, axes, argument):
    """[batch, 1, seq] and [batch, 1, 1, seq], for one query and all heads."""
    layer = built(layer_class)
    expected = layer(**data(), attention_mask=VALID)
    actual = layer(**data(), **{argument: np.expand_dims(VALID, axes)})
    np.testing.assert_array_equal(as_arrays(actual)[0], as_arrays(expected)[0])
    row = np.expand_dims(VALID[1:2], axes)
    one = as_arrays(layer(**data(), **{argument: row}))[0]
    many = layer(**data(), attention_mask=np.repeat(VALID[1:2], BATCH, 0))
    np.testing.assert_allclose(one, as_arrays(many)[0], rtol=1e-6)


WRONG_SHAPES = [
    (),
    (SEQ,),
    (BATCH,),
    (BATCH, SEQ + 1),
    (BATCH - 1, SEQ),
    (SEQ, BATCH),
    (BATCH, 2, SEQ),
    (BATCH, SEQ, 1),
    (BATCH, SEQ, SEQ),
    (BATCH, 2, 1, SEQ),
    (BATCH, 1, 1, 1, SEQ),
    (0, SEQ),
    (BATCH, 0),
]


@both_layers
@pytest.mark.parametrize("shape", WRONG_SHAPES, ids=str)
@pytest.mark.parametrize("argument", ["attention_mask", "value_mask"])
def test_another_shape_is_refused(layer_class, shape, argument):
    with pytest.raises(ValueError, match="Received") as caught:
        built(layer_class)(**data(), **{argument: np.ones(shape, bool)})
    message = str(caught.value)
    assert f"`{argument}` must have the shape [batch, seq]" in message
    assert f"expected ({BATCH}, {SEQ})" in message
    assert f"{argument}.shape={shape}" in message


@both_layers
@pytest.mark.parametrize("rows", [2, BATCH])
def test_a_mask_of_more_rows_than_the_rest_is_refused(layer_class, rows):
    arrays = {name: array[:1] for name, array in data().items()}
    with pytest.raises(ValueError, match=rf"expected \(1, {SEQ}\)"):
        built(layer_class)(**arrays, attention_mask=np.ones((rows, SEQ), bool))


@both_layers
def test_with_a_shared_query_a_mask_is_checked_too(layer_class):
    arrays = data(users=1) | {"shared_query": normal(1, 2, seed=3)}
    layer = built(layer_class, **arrays)
    whole = as_arrays(layer(**arrays))[0]
    for shape in ((1, SEQ), (1, 1, SEQ), (BATCH, SEQ)):
        given = layer(**arrays, attention_mask=np.ones(shape, bool))
        np.testing.assert_allclose(as_arrays(given)[0], whole, rtol=1e-4, atol=1e-5)
    for shape in ((SEQ,), (1, SEQ + 1), (2, SEQ), (1, 2, SEQ)):
        with pytest.raises(ValueError, match=r"`attention_mask` .*Received"):
            layer(**arrays, attention_mask=np.ones(shape, bool))


@both_layers
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float64"])
def test_zeros_and_ones_of_any_type_are_a_mask(layer_class, dtype):
    layer = built(layer_class)
    np.testing.assert_array_equal(
        as_arrays(layer(**data(), attention_mask=VALID.astype(dtype)))[0],
        as_arrays(layer(**data(), attention_mask=VALID))[0],
    )


JUNK = (np.nan, np.inf, -np.inf, 1e38)


@both_layers
@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("users", [1, BATCH])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_what_masked_steps_hold_changes_nothing(layer_class, junk, users, dtype):
    """Neither outputs nor gradients, and a sequence without a valid step is zeros."""
    valid = VALID if users > 1 else VALID[1:2]
    clean = data(users) | {"attention_mask": valid}
    if users == 1:
        clean["value_mask"] = None
        clean["shared_query"] = normal(1, 2, seed=3)
    clean["value"] = np.where(valid[..., None], clean["value"], 0).astype("float32")
    given = {name: a for name, a in clean.items() if a is not None}
    layer = built(layer_class, dtype, **given)
    dirty = np.where(valid[..., None], clean["value"], np.float32(junk))
    before, after = (
        as_arrays(layer(**given)),
        as_arrays(layer(**given | {"value": dirty})),
    )
    np.testing.assert_array_equal(after[0], before[0])
    assert np.isfinite(after[0]).all()
    assert users == 1 or not after[0][LENGTHS == 0].any()
    if users == 1:
        return
    one, other = (
        gradients(layer, clean | {"value": value.astype("float32")})
        for value in (clean["value"], dirty)
    )
    for a, b in zip([*one[1], *one[2]], [*other[1], *other[2]], strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_array_equal(b, a)


@both_layers
def test_masked_steps_take_no_weight_from_steps_of_huge_scores(layer_class):
    """Scores of -1e10 are far below what once stood for a masked step."""
    arrays = data()
    layer = built(layer_class)
    arrays["query"] = 1e10 * arrays["query"]
    short = arrays | {"value": arrays["value"][:, :2]}
    valid = np.arange(SEQ) < np.full((BATCH, 1), 2)
    np.testing.assert_allclose(
        as_arrays(layer(**arrays, attention_mask=valid))[0],
        as_arrays(layer(**short))[0],
        rtol=1e-5,
    )


@both_layers
def test_what_is_no_array_is_refused(layer_class):
    with pytest.raises(ValueError, match="`attention_mask` must be a tensor or array"):
        built(layer_class)(**data(), attention_mask=[[True] * SEQ] * BATCH)
