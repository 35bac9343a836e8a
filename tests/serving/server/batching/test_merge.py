"""Merging against what a loop over rows does."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.protocol.tensor_spec import TYPE_BY_NUMPY, SignatureSpec, TensorSpec
from serving.server.batching.merge import (
    concatenate_outputs,
    count_rows,
    merge_inputs,
    shapes_of,
    split_outputs,
)

TEXT, LONG, FLOAT, FLAG = map(np.dtype, (object, np.int64, np.float32, bool))


def spec_of(**shapes) -> SignatureSpec:
    """A signature whose inputs have these dtypes and dimensions."""
    inputs = {
        name: TensorSpec(name, TYPE_BY_NUMPY[dtype], shape)
        for name, (dtype, shape) in shapes.items()
    }
    return SignatureSpec(inputs, {"y": TensorSpec("y", None, (None,))})


SPEC = spec_of(
    history=(TEXT, (None, None)),
    gaps=(LONG, (None, None)),
    age=(FLOAT, (None,)),
)


@st.composite
def requests(draw):
    """Requests of SPEC: rows of histories that have one length a request."""
    made = []
    for _ in range(draw(st.integers(1, 5))):
        rows, length = draw(st.integers(1, 3)), draw(st.integers(0, 4))
        numbers = np.arange(rows * length).reshape(rows, length) + 100 * len(made)
        made.append(
            {
                "history": numbers.astype(str).astype(bytes).astype(object),
                "gaps": numbers,
                "age": np.full(rows, len(made), np.float32),
            }
        )
    return made


def absent(value) -> bool:
    return value in (b"", -1)


@given(batch=requests(), extra=st.integers(0, 3))
def test_each_row_is_there_and_followed_by_absent_values_only(batch, extra):
    rows = sum(map(count_rows, batch))
    merged = merge_inputs(batch, rows, rows + extra)
    for name in SPEC.inputs:
        expected = [row for request in batch for row in request[name]]
        expected += [batch[-1][name][0]] * extra
        assert len(merged[name]) == len(expected)
        assert merged[name].dtype == SPEC.inputs[name].dtype.numpy
        for row, wanted in zip(merged[name], expected, strict=True):
            row, wanted = np.atleast_1d(row), np.atleast_1d(wanted)
            np.testing.assert_array_equal(row[: len(wanted)], wanted)
            assert all(map(absent, row[len(wanted) :]))


@given(rows=st.lists(st.integers(1, 4), min_size=1), extra=st.integers(0, 3))
def test_answers_are_the_rows_in_their_order(rows, extra):
    outputs = {"y": np.arange(2 * (sum(rows) + extra)).reshape(-1, 2)}
    answers = split_outputs(outputs, rows)
    assert [len(answer["y"]) for answer in answers] == rows
    together = concatenate_outputs(answers)["y"]
    np.testing.assert_array_equal(together, outputs["y"][: sum(rows)])


@given(
    lengths=st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=2, max_size=4),
    fixed=st.booleans(),
)
def test_lengths_that_differ_in_a_request_differ_in_its_batch(lengths, fixed):
    """Or padding would hide what the graph refuses in a request on its own."""
    batch = [
        dict(zip("abc", [np.zeros((1, n), np.int64) for n in row], strict=True))
        for row in lengths
    ]
    for request in batch if fixed else ():
        request["x"] = np.zeros((1, 4), np.float32)
    merged = merge_inputs(batch, len(batch), len(batch))
    for request in batch:
        for one, other in combinations(request, 2):
            alone = {request[one].shape[1], request[other].shape[1]}
            if len(alone) == 2 and 0 not in alone:
                assert merged[one].shape[1] != merged[other].shape[1]
    if fixed:
        assert merged["x"].shape[1] == 4
    if all(len(set(row)) == 1 for row in lengths):
        assert len({merged[name].shape for name in "abc"}) == 1


def test_floats_are_filled_up_with_nan():
    batch = [{"x": np.ones((1, 1), np.float32)}, {"x": np.ones((1, 3), np.float32)}]
    np.testing.assert_array_equal(
        merge_inputs(batch, 2, 2)["x"], [[1, np.nan, np.nan], [1, 1, 1]]
    )


def test_only_equal_lengths_share_a_batch_unless_they_may_be_padded():
    short = {"tags": np.zeros((1, 2), object), "flags": np.zeros((1, 2), bool)}
    longer = {"tags": np.zeros((3, 5), object), "flags": np.zeros((3, 2), bool)}
    spec = spec_of(tags=(TEXT, (None, None)), flags=(FLAG, (None, None)))
    assert shapes_of(short, spec, False) != shapes_of(longer, spec, False)
    assert shapes_of(short, spec, True) == shapes_of(longer, spec, True)
    longer["flags"] = np.zeros((3, 5), bool)  # a boolean is never absent
    assert shapes_of(short, spec, True) != shapes_of(longer, spec, True)


@pytest.mark.parametrize(("one", "other", "together"), [(0, 64, 1), (64, 65, 0)])
def test_a_very_long_request_does_not_blow_up_short_ones(one, other, together):
    spec = spec_of(x=(LONG, (None, None)))
    shapes = {
        shapes_of({"x": np.zeros((1, length), np.int64)}, spec, True)
        for length in (one, other)
    }
    assert (len(shapes) == 1) == together
    lengths = (65, 128, 129, 256, 257)
    assert (
        len(
            {
                shapes_of({"x": np.zeros((1, length), np.int64)}, spec, True)
                for length in lengths
            }
        )
        == 3
    )


def test_rows_are_counted_where_inputs_agree():
    assert count_rows({"x": np.zeros(3), "y": np.zeros((3, 2))}) == 3
    assert count_rows({"x": np.zeros(3), "y": np.zeros(1)}) is None


@pytest.mark.parametrize(
    ("shape", "batchable"),
    [
        ((None,), True),
        ((None, 3), True),
        ((1, None), False),
        ((), False),
        (None, False),
    ],
)
def test_signatures_with_a_fixed_first_dimension_are_not_batched(shape, batchable):
    assert spec_of(x=(LONG, shape), y=(LONG, (None,))).is_batchable == batchable
    inputs = spec_of(x=(LONG, (None,))).inputs
    outputs = {"y": TensorSpec("y", None, shape)}
    assert SignatureSpec(inputs, outputs).is_batchable == batchable
    assert not SignatureSpec({}, inputs).is_batchable
