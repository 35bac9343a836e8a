"""One request over gRPC and over REST: the same answer, or the same error.

What JSON cannot say (types of integers), or TensorFlow Serving's REST API does not look
at (columns that the signature lacks), is in docs/serving_protocol.md instead.
"""

import json

import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.protocol.errors import error_of_code
from tests.helpers.toy_model import CANDIDATES, USER, as_tensor, example

pytestmark = pytest.mark.e2e

RANK = USER | CANDIDATES
DTYPES = {
    "avc": np.int64,
    "history_gap_ms": np.int64,
    "video_age_hours": np.float32,
    "x": np.float32,
}
RANKS = {"history_video_ids": 2, "history_gap_ms": 2, "video_tags": 2, "x": 2}


def candidates(count: int) -> dict:
    return {
        "video_id": [f"v{n}" for n in range(count)],
        "video_tags": [["music", ""]] * count,
        "video_age_hours": [1.5] * count,
    }


def rows(count: int) -> dict:
    of_users = {name: value * count for name, value in USER.items()}
    return of_users | candidates(count)


def without(name: str) -> dict:
    return {other: value for other, value in RANK.items() if other != name}


def as_array(name: str, value) -> np.ndarray:
    if value == []:
        return np.zeros([0] * RANKS.get(name, 1), DTYPES.get(name, object))
    array = as_tensor(value).numpy()
    # As JSON has it: a whole number may be a float, and no values have any type.
    is_any = array.dtype.kind == "i" or array.size == 0
    usual = array.dtype if array.size else object
    return array.astype(DTYPES.get(name, usual)) if is_any else array


def over_grpc(stub, predict_request, signature, inputs, spec):
    tensors = {
        name: tf.make_tensor_proto(as_array(name, value))
        for name, value in inputs.items()
    }
    try:
        answer = stub.Predict(predict_request(signature, tensors, **spec), timeout=60)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", {
        name: tf.make_ndarray(value) for name, value in answer.outputs.items()
    }


def over_rest(rest, signature, inputs, spec):
    place = f"/v1/models/{spec.get('name', 'ranker')}"
    for kind in ("version", "label"):
        if kind in spec:
            place += f"/{kind}s/{spec[kind]}"
    text = [[value.decode("latin-1") for value in v] if name == "examples" else v
            for name, v in inputs.items()]  # fmt: skip
    body = {"signature_name": signature, "inputs": dict(zip(inputs, text, strict=True))}
    status, answer = rest.call("POST", f"{place}:predict", json.dumps(body).encode())
    return status, answer.get("outputs", answer.get("error"))


@pytest.fixture
def ask(rest, prediction_stub, predict_request):
    def both(signature, inputs, **spec):
        return (
            over_grpc(prediction_stub, predict_request, signature, inputs, spec),
            over_rest(rest, signature, inputs, spec),
        )

    return both


@pytest.mark.parametrize(
    ("signature", "inputs"),
    [
        *(("rank", USER | candidates(count)) for count in (0, 1, 2, 1000)),
        *(("predict_raw", rows(count)) for count in (0, 1, 3)),
        ("rank", RANK | {"history_video_ids": [[]], "history_gap_ms": [[]]}),
        ("rank", RANK | {"video_age_hours": [float("nan"), float("inf"), -1e38]}),
        ("rank", RANK | {"user_id": [""], "video_id": ["", "x" * 100_000, "é漢😀\0"]}),
        ("rank", RANK | {"avc": [2**63 - 1]}),
        ("rank", RANK | {"avc": [-(2**63)]}),
        ("serving_default", {"examples": []}),
        ("serving_default", {"examples": [example("u", "v", 3)]}),
        ("doubled", {"x": [[float("nan"), float("-inf")]]}),
    ],
)
def test_what_is_answered_is_the_same(ask, signature, inputs):
    (code, expected), (status, outputs) = ask(signature, inputs)
    assert (code, status) == ("OK", 200), (expected, outputs)
    if len(expected) == 1:
        outputs = dict.fromkeys(expected, outputs)
    assert set(outputs) == set(expected)
    for name, value in expected.items():
        if value.dtype == object:
            assert outputs[name] == [text.decode() for text in value]
        else:
            received = np.array(outputs[name], value.dtype).reshape(value.shape)
            np.testing.assert_array_equal(received, value)


@pytest.mark.parametrize(
    ("signature", "inputs", "spec", "code", "words"),
    [
        ("nope", RANK, {}, "FAILED_PRECONDITION", '"nope"'),
        ("rank", RANK, {"name": "nope"}, "NOT_FOUND", "Latest(nope)"),
        ("rank", RANK, {"version": 9}, "NOT_FOUND", "Specific(ranker, 9)"),
        ("rank", RANK, {"label": "stable"}, "INVALID_ARGUMENT", "stable"),
        ("rank", without("avc"), {}, "INVALID_ARGUMENT", "avc"),
        ("rank", RANK | {"avc": 3}, {}, "INVALID_ARGUMENT", "'avc'"),
        ("rank", RANK | {"avc": [[3]]}, {}, "INVALID_ARGUMENT", "'avc'"),
        ("rank", RANK | {"avc": [3, 4]}, {}, "INVALID_ARGUMENT", "'avc'"),
        ("rank", RANK | {"avc": []}, {}, "INVALID_ARGUMENT", "'avc'"),
        ("rank", RANK | {"avc": [1.5]}, {}, "INVALID_ARGUMENT", "'avc'"),
        ("rank", RANK | {"avc": ["3"]}, {}, "INVALID_ARGUMENT", "'avc'"),
        ("rank", RANK | {"user_id": [7]}, {}, "INVALID_ARGUMENT", "'user_id'"),
        ("rank", RANK | {"video_tags": ["a"]}, {}, "INVALID_ARGUMENT", "'video_tags'"),
        ("doubled", {"x": [[1, 2, 3]]}, {}, "INVALID_ARGUMENT", "'x'"),
        ("serving_default", {"examples": [b""]}, {}, "INVALID_ARGUMENT", "avc"),
        ("serving_default", {"examples": [b"no"]}, {}, "INVALID_ARGUMENT", "example"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_alike(ask, signature, inputs, spec, code, words):
    (received, message), (status, error) = ask(signature, inputs, **spec)
    assert received == code, message
    assert status == error_of_code(code, "").http_status
    assert words in message
    assert words in error


def test_examples_that_are_no_text_are_refused_alike(
    rest, prediction_stub, predict_request
):
    junk = tf.make_tensor_proto([b"\xff\xfe"])
    with pytest.raises(grpc.RpcError) as raised:
        prediction_stub.Predict(predict_request("", {"examples": junk}), timeout=30)
    answer = rest.predict({"instances": [{"b64": "//4="}]})
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert answer == (400, {"error": raised.value.details()})
    assert "Could not parse example" in raised.value.details()
