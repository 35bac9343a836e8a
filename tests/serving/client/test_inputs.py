import numpy as np
import pytest

from serving.client.inputs import as_array
from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_spec import TYPE_BY_NUMBER, TensorSpec

TYPES = {dtype.name: dtype for dtype in TYPE_BY_NUMBER.values()}


def convert(value, dtype, *shape):
    return as_array(value, TensorSpec("f", TYPES[dtype], shape))


@pytest.mark.parametrize(
    ("value", "dtype", "shape", "expected"),
    [
        (3, "int64", (1,), [3]),
        ([3.0, 4], "int64", (None,), [3, 4]),
        ([1, 2], "float32", (None,), [1.0, 2.0]),
        ("é", "string", (1,), ["é".encode()]),
        (["a", b"b\x00"], "string", (1, None), [[b"a", b"b\x00"]]),
        ([["a", "b"], ["c"]], "string", (None, None), [[b"a", b"b"], [b"c", b""]]),
        ([[1], []], "int64", (None, None), [[1], [-1]]),
        (["a", None], "string", (None,), [b"a", b""]),
        ([2, None], "int64", (None,), [2, -1]),
        ([0.5, None], "float32", (None,), [0.5, np.nan]),
        (np.array([[1, 2]]), "int64", (1, None), [[1, 2]]),
        (np.float32(0.5), "float32", (1,), [0.5]),
        (float("inf"), "float32", (1,), [np.inf]),
    ],
)
def test_conversions(value, dtype, shape, expected):
    array = convert(value, dtype, *shape)
    assert array.dtype == TYPES[dtype].numpy
    np.testing.assert_array_equal(array, np.array(expected, array.dtype))


def test_empty_lists():
    assert convert([], "string", 1, None).shape == (1, 0)
    assert convert([], "string", None, None).shape == (0, 0)
    assert convert([[]], "string", None, None).shape == (1, 0)
    assert convert([], "int64", None).shape == (0,)


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        ("3", "int64", (1,)),
        (3.5, "int64", (1,)),
        (2**63, "int64", (1,)),
        (-1, "uint8", (1,)),
        (2**31, "int32", (1,)),
        (7, "string", (1,)),
        ("x", "float32", (1,)),
        (1e39, "float32", (1,)),
        (2, "bool", (1,)),
        ([1, 2], "int64", (1,)),
        ([[1]], "int64", (1,)),
        ([1, [2]], "int64", (None, None)),
        ({"a": 1}, "int64", (1,)),
    ],
)
def test_values_that_do_not_fit(value, dtype, shape):
    with pytest.raises(InvalidArgument, match=r"input 'f': expected"):
        convert(value, dtype, *shape)
