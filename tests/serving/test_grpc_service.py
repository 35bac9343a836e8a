"""The gRPC services, asked by the official stubs."""

import numpy as np
import pytest
import tensorflow as tf
from grpc_errors import code_and_message
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)
from toy_model import CANDIDATES, USER, example

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


def test_every_type_comes_back(prediction_stub, predict_request):
    inputs = {
        "text": np.array([b"\xff\x00", b""], object),
        "number": np.float32([np.nan, -np.inf]),
        "count": np.int32([-(2**31), 2**31 - 1]),
        "flag": [True, False],
    }
    response = prediction_stub.Predict(predict_request("echo", inputs), timeout=30)
    for name, value in inputs.items():
        np.testing.assert_array_equal(
            tf.make_ndarray(response.outputs[f"{name}_out"]), value
        )


def test_version_by_number(prediction_stub, predict_request):
    for version, offset in [(1, 0.0), (2, 1.0)]:
        response = prediction_stub.Predict(
            predict_request("doubled", X, version=version), timeout=30
        )
        assert response.model_spec.version.value == version
        assert list(response.outputs["y"].float_val) == [2 + offset, 4 + offset]


def test_output_filter(prediction_stub, predict_request):
    request = predict_request("rank", RANK)
    request.output_filter.append("fused")
    assert set(prediction_stub.Predict(request, timeout=30).outputs) == {"fused"}


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


def test_output_filter_errors(prediction_stub, predict_request):
    for names, word in [(["nope"], "nope"), (["y", "y"], "duplicate")]:
        request = predict_request("doubled", X)
        request.output_filter.extend(names)
        code, message = code_and_message(prediction_stub.Predict, request)
        assert code == "INVALID_ARGUMENT"
        assert word in message


def test_missing_model_spec(prediction_stub):
    for call, request in [
        (prediction_stub.Predict, predict_pb2.PredictRequest()),
        (
            prediction_stub.GetModelMetadata,
            get_model_metadata_pb2.GetModelMetadataRequest(),
        ),
    ]:
        assert code_and_message(call, request) == (
            "INVALID_ARGUMENT",
            "Missing ModelSpec",
        )


def test_metadata(prediction_stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["signature_def"]
    )
    request.model_spec.name = "ranker"
    response = prediction_stub.GetModelMetadata(request, timeout=30)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    rank = signatures.signature_def["rank"]
    assert response.model_spec.version.value == 2
    assert rank.method_name == "tensorflow/serving/predict"
    assert rank.inputs["avc"].dtype == tf.int64.as_datatype_enum
    assert [d.size for d in rank.inputs["history_gap_ms"].tensor_shape.dim] == [1, -1]


def test_metadata_errors(prediction_stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "ranker"
    code, message = code_and_message(prediction_stub.GetModelMetadata, request)
    assert (code, "metadata_field" in message) == ("INVALID_ARGUMENT", True)
    request.metadata_field.append("weights")
    code, message = code_and_message(prediction_stub.GetModelMetadata, request)
    assert (code, "weights" in message) == ("INVALID_ARGUMENT", True)
    request.metadata_field[:] = ["signature_def"]
    request.model_spec.version.value = 7
    code, _ = code_and_message(prediction_stub.GetModelMetadata, request)
    assert code == "NOT_FOUND"


def test_what_is_not_offered(prediction_stub):
    for call, request in [
        (prediction_stub.Classify, classification_pb2.ClassificationRequest()),
        (prediction_stub.Regress, regression_pb2.RegressionRequest()),
        (prediction_stub.MultiInference, inference_pb2.MultiInferenceRequest()),
    ]:
        assert code_and_message(call, request)[0] == "UNIMPLEMENTED"
