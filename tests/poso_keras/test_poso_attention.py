import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poso_keras import POSOMultiHeadAttention, SequenceAttention
from poso_keras._backend import keras, ops
from tests.helpers import numpy_reference as reference
from tests.helpers.backends import as_arrays, gradients
from tests.helpers.layer_checks import (
    named_weights,
    normal,
    randomize,
    run_layer_checks,
)

MODES = ("shared", "gated", "full")
GRID = [
    modes for modes in itertools.product(MODES, repeat=3) if set(modes) != {"shared"}
]
TABLE_7 = [
    ("full", "full", "full"),
    ("shared", "full", "full"),
    ("shared", "gated", "full"),
    ("shared", "gated", "gated"),
    ("gated", "full", "shared"),  # not in the paper: one V for several maps
]
HEADS, KEY_DIM, MODULES = 2, 3, 3
KEYS = ("query_mode", "key_mode", "value_mode")
ARGUMENTS = ("query", "value", "personalization_code")

# Full, ragged, with holes, a single event, and an empty sequence.
MASK = np.array(
    [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1], [0] * 5]
)


def make(modes, num_modules=MODULES, **kwargs):
    return POSOMultiHeadAttention(
        HEADS, KEY_DIM, num_modules, **dict(zip(KEYS, modes, strict=True)), **kwargs
    )


def data(batch=5, seq=5):
    return normal(batch, 4), normal(batch, seq, 6, seed=1), normal(batch, 2, seed=2)


def named_data(**kwargs):
    return dict(zip(ARGUMENTS, data(**kwargs), strict=True))


def textbook(layer, modes, query, value, code, mask):
    scale = 2 / np.sqrt(MODULES) if modes[2] == "full" else 2 / MODULES
    return reference.attention(
        named_weights(layer),
        query,
        value,
        code,
        mask,
        HEADS,
        MODULES,
        modes,
        scale,
    )


@pytest.mark.parametrize("modes", GRID, ids="-".join)
def test_equals_the_textbook_order(modes):
    query, value, code = data()
    layer = make(modes)
    layer(query, value, code)
    randomize(layer)
    expected = textbook(layer, modes, query, value, code, MASK)
    actual = np.array(layer(query, value, code, attention_mask=MASK))
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    assert not actual[-1].any()


@pytest.mark.parametrize("layer_class", [SequenceAttention, POSOMultiHeadAttention])
def test_a_mask_that_comes_with_the_sequence_counts(layer_class, tmp_path):
    """As after `Embedding(mask_zero=True)`; also in a model that was saved."""
    ids = np.array([[3, 1, 2, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    query, _, code = data(batch=3)
    embedding = keras.layers.Embedding(4, 6, mask_zero=True, name="embedding")
    layer = layer_class(HEADS, KEY_DIM, name="attention")
    inputs = {
        "query": keras.Input((4,)),
        "ids": keras.Input((4,), dtype="int32"),
        "code": keras.Input((2,)),
    }
    attended = layer(inputs["query"], embedding(inputs["ids"]), inputs["code"])
    model = keras.Model(inputs, attended)
    arrays = {"query": query, "ids": ids, "code": code}
    value = as_arrays(embedding(ids))[0]
    expected = layer(query, value, code, attention_mask=ids != 0)
    without = layer(query, value, code)
    np.testing.assert_allclose(model.predict(arrays), expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(expected, without, atol=1e-3)
    assert not as_arrays(expected)[0][2].any()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(arrays), expected, rtol=1e-5, atol=1e-6)


def test_only_steps_that_both_masks_leave_count():
    query, value, code = data()
    layer = make(("shared", "gated", "full"))
    other = np.array([[1, 0, 1, 0, 1]] * 5, bool)
    np.testing.assert_array_equal(
        layer(query, value, code, attention_mask=MASK, value_mask=other),
        layer(query, value, code, attention_mask=MASK.astype(bool) & other),
    )


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([0, 1, 2, 30, 200]),
    st.sampled_from(GRID),
    st.integers(0, 2**32 - 1),
)
def test_equals_the_textbook_order_at_any_length(length, modes, seed):
    query, value, code = data(seq=length)
    lengths = np.random.default_rng(seed).integers(0, length + 1, 5)
    mask = np.arange(length) < lengths[:, None]
    layer = make(modes)
    layer(query, value, code)
    randomize(layer, seed)
    actual = as_arrays(layer(query, value, code, attention_mask=mask))[0]
    expected = textbook(layer, modes, query, value, code, mask)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    assert not actual[lengths == 0].any()


@pytest.mark.parametrize("modes", GRID, ids="-".join)
def test_one_user_and_many_candidates_equal_tiling(modes):
    query, value, code = data()
    layer = make(modes)
    layer(query, value, code)
    randomize(layer)
    for mask in (MASK[2:3], None):
        tiled = None if mask is None else np.repeat(mask, 5, 0)
        expected = layer(
            query, np.repeat(value[:1], 5, 0), np.repeat(code[:1], 5, 0), tiled
        )
        actual = layer(query, value[:1], code[:1], mask)
        assert actual.shape == (5, HEADS * KEY_DIM)
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("modes", TABLE_7, ids="-".join)
@pytest.mark.parametrize("seq", [0, 5])
def test_empty_sequences_give_zero_and_no_gradient(modes, seq):
    arrays = named_data(seq=seq) | {"attention_mask": np.zeros((5, seq), "bool")}
    layer = make(modes)
    layer(*arrays.values())
    (output,), inputs, weights = gradients(
        layer, arrays, lambda y: ops.sum((y - 1.0) ** 2)
    )
    assert not output.any()
    assert not any(gradient.any() for gradient in inputs + weights)


@pytest.mark.parametrize("modes", TABLE_7, ids="-".join)
def test_no_gradient_flows_from_the_padding(modes):
    arrays = named_data() | {"attention_mask": MASK.astype("bool")}
    layer = make(modes)
    layer(*arrays.values())
    randomize(layer)
    _, (_, gradient, _), _ = gradients(layer, arrays)
    assert not gradient[MASK == 0].any()
    assert gradient[MASK == 1].all()


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 3), st.sampled_from(GRID))
def test_order_and_padding_do_not_matter(order, padding, modes):
    query, value, code = data()
    layer = make(modes)
    expected = layer(query, value, code, MASK)
    junk = 100 * normal(5, padding, 6, seed=3)
    value = np.concatenate([value[:, list(order)], junk], axis=1)
    mask = np.pad(MASK[:, list(order)], ((0, 0), (0, padding)))
    actual = layer(query, value, code, mask)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_scale_multiplies_the_sum_over_modules():
    query, value, code = data()
    layer, scaled = (make(("shared", "gated", "full"), scale=c) for c in (1.0, 3.0))
    layer(query, value, code)
    scaled(query, value, code)
    scaled.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        scaled(query, value, code), 3 * np.array(layer(query, value, code)), rtol=1e-5
    )


@pytest.mark.parametrize("modes", TABLE_7, ids="-".join)
def test_open_gates_and_one_module_are_the_plain_twin(modes):
    query, value, code = data()
    layer = make(modes, num_modules=1)
    twin = SequenceAttention(HEADS, KEY_DIM)
    layer(query, value, code)
    twin(query, value)
    weights = named_weights(layer)
    open_gates = [0 * w if "_gate/" in name else w for name, w in weights.items()]
    layer.set_weights(open_gates)
    twin.set_weights(layer.get_weights()[:3])
    assert list(named_weights(twin)) == list(weights)[:3]
    np.testing.assert_allclose(
        layer(query, value, code, MASK), twin(query, value, code, MASK), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("modes", "modules", "width"),
    [(modes, 4, 8) for modes in GRID]
    + [(modes, modules, 32) for modes in TABLE_7 for modules in (1, 8)],
    ids=str,
)
def test_starts_at_the_scale_of_the_plain_twin(modes, modules, width):
    """Compares with plain twins made of the same kernels, one per module.

    Gates are at scale / 2, what they start at on average: this is about `scale`.
    """
    query, value = normal(64, width), normal(64, 10, width, seed=1)
    code = normal(64, 8, seed=2)
    twin = SequenceAttention(2, width // 2)
    twin(query, value)
    personalized = plain = 0.0
    for _ in range(6 if modes[2] == "full" and width == 8 else 2):
        layer = POSOMultiHeadAttention(
            2,
            width // 2,
            modules,
            **dict(zip(KEYS, modes, strict=True)),
            gate_output_initializer="zeros",
        )
        personalized += np.square(layer(query, value, code)).mean()
        for module in range(modules if "full" in modes else 1):
            kernels = layer.get_weights()[:3]
            twin.set_weights([k[[module % len(k)]] for k in kernels])
            twins = modules if "full" in modes else 1
            plain += np.square(twin(query, value)).mean() / twins
    assert personalized / plain == pytest.approx(1.0, abs=0.15)


def test_large_scores_are_safe_in_float16():
    query, value, code = data()
    layer = make(("shared", "gated", "full"), dtype="mixed_float16")
    output = np.array(layer(query, 300 * value, code, MASK))
    assert np.isfinite(output).all()
    assert not output[-1].any()


GATE = ["hidden/kernel", "hidden/bias", "gates/kernel", "gates/bias"]
KERNELS = ["query_kernel", "key_kernel", "value_kernel"]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("modes", "gates"),
    [
        (("shared", "gated", "full"), ["key_gate", "module_gate"]),
        (("gated", "full", "gated"), ["query_gate", "value_gate", "module_gate"]),
    ],
    ids=str,
)
def test_layer_contract(modes, gates, tmp_path):
    query, value, code = data()
    run_layer_checks(
        POSOMultiHeadAttention,
        {
            "num_heads": HEADS,
            "key_dim": KEY_DIM,
            "num_modules": MODULES,
            **dict(zip(KEYS, modes, strict=True)),
            "gate_hidden_units": 5,
            "kernel_initializer": "he_normal",
            "kernel_regularizer": "l2",
            "kernel_constraint": "non_neg",
        },
        {
            "query": query,
            "value": value,
            "personalization_code": code,
            "attention_mask": MASK.astype("float32"),
        },
        [(5, HEADS * KEY_DIM)],
        KERNELS + [f"{gate}/{name}" for gate in gates for name in GATE],
        tmp_path,
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_heads": 0}, "`num_heads` must be a positive integer. Received: 0"),
        ({"key_dim": 1.5}, "`key_dim` must be a positive integer. Received: 1.5"),
        ({"key_mode": "open"}, "`key_mode` must be one of .* Received: 'open'"),
        ({"scale": "big"}, '`scale` must be "auto" or a positive number. Rec.*'),
        ({"scale": -1.0}, '`scale` must be "auto" or a positive number. Rec.*-1.0'),
        (
            {"key_mode": "shared", "value_mode": "shared"},
            "must not all be 'shared': .* Use `SequenceAttention` .* Received: ",
        ),
        (
            {"value_mode": "gated", "scale": 1.5},
            "`scale` .* needs a mode that is 'full'. Received: scale=1.5",
        ),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        POSOMultiHeadAttention(**{"num_heads": 2, "key_dim": 3, **kwargs})


@pytest.mark.parametrize(
    ("query", "value", "code", "message"),
    [
        ((5, 1, 4), (5, 5, 6), (5, 2), "`query` must have rank 2"),
        ((5, 4), (5, 6), (5, 2), "`value` must have rank 3"),
        ((5, 4), (5, 5, 6), (5, 1, 2), "`personalization_code` must have rank 2"),
        ((5, 4), (3, 5, 6), (5, 2), "must have the same batch size, or 1"),
    ],
)
def test_wrong_shapes_are_named(query, value, code, message):
    with pytest.raises(ValueError, match=rf"{message}.*Received: "):
        make(("shared", "gated", "full"))(normal(*query), normal(*value), normal(*code))
