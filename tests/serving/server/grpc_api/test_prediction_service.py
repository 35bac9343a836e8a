"""The gRPC services, asked by the official stubs."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tests.helpers.grpc_errors import code_and_message
from tests.helpers.toy_model import CANDIDATES, USER, example

RANK = USER | CANDIDATES
X = {"x": [[1.0, 2.0]]}


def test_rank_equals_the_model_in_process(prediction_stub, predict_request, in_process):
    response = prediction_stub.Predict(predict_request("rank", RANK), timeout=30)
    expected = in_process("rank", RANK)
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "rank"
    assert response.model_spec.name == "ranker"
    assert set(response.outputs) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(tf.make_ndarray(response.outputs[name]), value)


def test_default_signature_takes_examples(prediction_stub, predict_request, in_process):
    inputs = {"examples": [example("u", "video", 7), example("u", "v", 0)]}
    response = prediction_stub.Predict(predict_request("", inputs), timeout=30)
    assert response.model_spec.signature_name == "serving_default"
    # Values travel in typed fields, which clients of TensorFlow Serving may read.
    np.testing.assert_array_equal(
        np.float32(response.outputs["score"].float_val),
        in_process("serving_default", inputs)["score"],
    )


def without(name):
    return {key: value for key, value in RANK.items() if key != name}


@pytest.mark.parametrize(
    ("signature", "inputs", "spec", "code", "words"),
    [
        ("doubled", X, {"name": "nope"}, "NOT_FOUND", ["Latest(nope)"]),
        ("doubled", X, {"name": ""}, "INVALID_ARGUMENT", ["no name"]),
        ("doubled", X, {"version": 9}, "NOT_FOUND", ["Specific(ranker, 9)"]),
        ("doubled", X, {"version": -1}, "NOT_FOUND", ["-1"]),
        ("doubled", X, {"label": "stable"}, "INVALID_ARGUMENT", ["stable"]),
        ("nope", X, {}, "FAILED_PRECONDITION", ["nope", "doubled"]),
        ("doubled", {}, {}, "INVALID_ARGUMENT", ["Missing", "{x}"]),
        ("rank", without("avc"), {}, "INVALID_ARGUMENT", ["Missing", "{avc}"]),
        ("rank", RANK | {"z": 1}, {}, "INVALID_ARGUMENT", ["Sent extra: {z}"]),
        (
            "doubled",
            {"x": [[1, 2]]},
            {},
            "INVALID_ARGUMENT",
            ["'x'", "float32", "int64"],
        ),
        ("doubled", {"x": [["a", "b"]]}, {}, "INVALID_ARGUMENT", ["'x'", "string"]),
        ("doubled", {"x": [1.0]}, {}, "INVALID_ARGUMENT", ["'x'", "[?, 2]", "[1]"]),
        ("doubled", {"x": [[1.0] * 3]}, {}, "INVALID_ARGUMENT", ["'x'", "[1, 3]"]),
        ("rank", RANK | {"avc": [1, 2]}, {}, "INVALID_ARGUMENT", ["'avc'", "[2]"]),
        ("", {"examples": [b"junk"]}, {}, "INVALID_ARGUMENT", ["could not be found"]),
    ],
)
def test_wrong_requests(
    prediction_stub, predict_request, signature, inputs, spec, code, words
):
    request = predict_request(signature, inputs, **spec)
    received, message = code_and_message(prediction_stub.Predict, request)
    assert received == code, message
    for word in words:
        assert word in message
    assert "File " not in message


@pytest.mark.parametrize(
    "proto",
    [
        tensor_pb2.TensorProto(),
        tensor_pb2.TensorProto(dtype=1),
        tensor_pb2.TensorProto(dtype=21),
        tensor_pb2.TensorProto(dtype=1, tensor_content=b"123"),
        tensor_pb2.TensorProto(dtype=7, tensor_content=b"123"),
        tensor_pb2.TensorProto(
            dtype=1, tensor_shape={"dim": [{"size": -1}, {"size": 2}]}
        ),
        tensor_pb2.TensorProto(dtype=1, tensor_shape={"unknown_rank": True}),
        tensor_pb2.TensorProto(
            dtype=1, tensor_shape={"dim": [{"size": 1}]}, float_val=[1, 2, 3]
        ),
        tensor_pb2.TensorProto(dtype=1, tensor_shape={"dim": [{"size": 1}] * 40}),
    ],
)
def test_malformed_tensors(prediction_stub, predict_request, proto):
    request = predict_request("doubled", {"x": proto})
    received, message = code_and_message(prediction_stub.Predict, request)
    assert received == "INVALID_ARGUMENT"
    assert "'x'" in message


@pytest.mark.parametrize("rows", [2**40, 2**22])
def test_a_few_bytes_do_not_make_a_huge_tensor(prediction_stub, predict_request, rows):
    huge = tensor_pb2.TensorProto(
        dtype=1, tensor_shape={"dim": [{"size": rows}, {"size": 2}]}, float_val=[1]
    )
    request = predict_request("doubled", {"x": huge})
    received, message = code_and_message(prediction_stub.Predict, request)
    assert received == "RESOURCE_EXHAUSTED"
    assert "'x'" in message


def test_a_request_above_the_limit(prediction_stub, predict_request):
    request = predict_request("doubled", {"x": np.zeros([2**18, 2], np.float32)})
    assert code_and_message(prediction_stub.Predict, request)[0] == "RESOURCE_EXHAUSTED"
