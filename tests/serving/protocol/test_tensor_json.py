import json

import pytest

from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_json import array_from_json
from serving.protocol.tensor_spec import TYPE_BY_NUMPY, TensorSpec

INT64, STRING, FLOAT32 = (
    next(type_ for type_ in TYPE_BY_NUMPY.values() if type_.name == name)
    for name in ("int64", "string", "float32")
)


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        ([], (None,), (0,)),
        ([], (None, None), (0, 0)),
        ([], (None, 2), (0, 2)),
        ([[]], (None, None), (1, 0)),
        ([[], []], (None, None, 3), (2, 0, 3)),
        # No shape of the signature's: the check of shapes says so.
        ([[]], (None,), (1, 0)),
        ([], (), (0,)),
        ([], None, (0,)),
    ],
)
def test_an_empty_list_has_the_further_dimensions_of_the_signature(
    value, shape, expected
):
    """JSON cannot say [0, 0], which is how there are no candidates with lists."""
    array = array_from_json(value, TensorSpec("x", STRING, shape))
    assert array.shape == expected


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        ([None], INT64, "expected int64, received null"),
        ([True], INT64, "expected int64, received true"),
        ([False], FLOAT32, "expected float32, received false"),
        ([float("nan")], INT64, "received nan"),
        ([3.0], INT64, "received 3.0"),
        (["3"], INT64, "received '3'"),
        ([2**63], INT64, "9223372036854775808 is out of int64's range"),
        ([-(2**63) - 1], INT64, "out of int64's range"),
        ([10**4000], INT64, "an integer of 13288 bits is out of"),
        ([2**24 + 1], FLOAT32, "16777217 cannot be converted"),
        ([1e39], FLOAT32, "cannot be converted"),
        ([{"b64": "AA=="}], INT64, "received an object with 1 key"),
        ([{"b64": "AA==", "x": 1}], STRING, "received an object with 2 keys"),
        ([{"b64": "@"}], STRING, "not base64"),
        ([{"b64": 1}], STRING, "an object with 1 key"),
        ([None], STRING, "received null"),
        (["\ud800"], STRING, "not valid Unicode"),
        ([[1], [1, 2]], INT64, "of length 1 stands beside a list of length 2"),
        ([[1], 2], INT64, "stands beside 2"),
        (json.loads("[" * 40 + "]" * 40), INT64, "more than 32 deep"),
    ],
)
def test_a_value_that_does_not_fit_is_shown_with_its_input(value, dtype, words):
    with pytest.raises(InvalidArgument, match=words) as raised:
        array_from_json(value, TensorSpec("avc", dtype, (None,)))
    assert raised.value.message.startswith("input 'avc'")
