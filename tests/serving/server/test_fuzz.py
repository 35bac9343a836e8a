"""No input may crash the server or be its own error: more than 2,000 of them."""

import json
import socket

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    regression_pb2,
)

from tests.helpers.toy_model import CANDIDATES, USER, example

pytestmark = pytest.mark.e2e

INPUT_NAMES = [*USER, *CANDIDATES, "x", "text", "number", "count", "flag", "examples"]
SIGNATURES = [
    "rank",
    "predict_raw",
    "echo",
    "doubled",
    "serving_default",
    "classify",
    "regress",
    "",
    "nope",
]
METHODS = ["tensorflow/serving/classify", "tensorflow/serving/regress", "", "nope"]
SETTINGS = settings(
    max_examples=260,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.fixed_dictionaries({"b64": st.text(max_size=4) | st.integers()})
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(INPUT_NAMES) | st.text(max_size=3), inner)
    ),
    max_leaves=8,
)
changes = st.dictionaries(st.sampled_from(INPUT_NAMES), values, max_size=2)
almost_right = changes.map(lambda change: USER | CANDIDATES | change)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": st.sampled_from(SIGNATURES) | values,
        "inputs": almost_right | values,
        "instances": st.lists(almost_right, max_size=2) | values,
    },
)
tensors = st.builds(
    dict,
    dtype=st.integers(0, 25) | st.sampled_from([1, 7, 9]),
    tensor_shape=st.builds(
        dict,
        dim=st.lists(
            st.builds(dict, size=st.integers(-2, 3) | st.integers(-(2**63), 2**63 - 1)),
            max_size=3,
        ),
        unknown_rank=st.booleans(),
    ),
    tensor_content=st.just(b"") | st.binary(max_size=16),
    float_val=st.lists(st.floats(width=32), max_size=3),
    int64_val=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
    string_val=st.lists(st.binary(max_size=4), max_size=3),
)
CLIENTS_FAULT = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "FAILED_PRECONDITION",
    "RESOURCE_EXHAUSTED",
}
model_specs = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["ranker", "", "nope"]) | st.text(max_size=5),
        "signature_name": st.sampled_from(SIGNATURES) | st.text(max_size=5),
        "version": st.integers(-(2**63), 2**63 - 1).map(lambda value: {"value": value})
        | st.just({"value": 1}),
    },
)
features = st.dictionaries(
    st.sampled_from(["user_id", "video_id", "avc", "x"]) | st.text(max_size=3),
    st.sampled_from(
        [
            feature_pb2.Feature(bytes_list={"value": [b"v", b"\xff"]}),
            feature_pb2.Feature(bytes_list={"value": [b"v"]}),
            feature_pb2.Feature(int64_list={"value": [-(2**63)]}),
            feature_pb2.Feature(float_list={"value": [float("nan")]}),
            feature_pb2.Feature(float_list={}),
            feature_pb2.Feature(),
        ]
    ),
    max_size=4,
)
some_examples = features.map(
    lambda named: example_pb2.Example(features=feature_pb2.Features(feature=named))
)
right_example = st.just(example_pb2.Example.FromString(example("u", "v", 3)))
example_lists = st.lists(some_examples | right_example, max_size=3)
inputs_of_examples = st.fixed_dictionaries(
    {},
    optional={"example_list": st.fixed_dictionaries({"examples": example_lists})},
) | st.fixed_dictionaries(
    {
        "example_list_with_context": st.fixed_dictionaries(
            {"examples": example_lists, "context": some_examples | right_example}
        )
    }
)
example_bodies = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": st.sampled_from(SIGNATURES) | values,
        "examples": st.lists(
            st.fixed_dictionaries(
                {"user_id": values, "video_id": values, "avc": values}
            )
            | values,
            max_size=3,
        )
        | values,
        "context": values,
    },
)
headers = st.dictionaries(
    st.sampled_from(
        [
            "Content-Encoding",
            "Content-Length",
            "Content-Type",
            "Transfer-Encoding",
            "Connection",
            "Expect",
            "Host",
            "Upgrade",
        ]
    ),
    st.sampled_from(
        [
            "gzip",
            "deflate",
            "br",
            "chunked",
            "identity",
            "-1",
            "3",
            "99999999999999999999",
            "application/json; charset=utf-7",
            "close",
            "100-continue",
            "websocket",
            "",
        ]
    )
    | st.text(st.characters(max_codepoint=255), max_size=5),
    max_size=4,
)


@pytest.fixture(autouse=True)
def _alive_after(rest):
    yield
    request = {"signature_name": "doubled", "instances": [[1, 2]]}
    assert rest.predict(request) == (200, {"predictions": [[3.0, 5.0]]})


@SETTINGS
@given(body=bodies)
def test_rest_bodies(rest, body):
    status, answer = rest.predict(json.dumps(body).encode())
    assert status in (200, 400, 404), answer


@SETTINGS
@given(body=st.binary(max_size=40))
def test_rest_bytes(rest, body):
    status, answer = rest.predict(body)
    assert status == 400, answer


@SETTINGS
@given(body=example_bodies, verb=st.sampled_from(["classify", "regress"]))
def test_rest_examples(rest, body, verb):
    path = f"/v1/models/ranker:{verb}"
    status, answer = rest.call("POST", path, json.dumps(body).encode())
    assert status in (200, 400), answer


@SETTINGS
@given(
    start=st.sampled_from(
        [
            b"POST /v1/models/ranker:predict HTTP/1.1",
            b"POST /v1/models/ranker:predict HTTP/1.0",
            b"GET /v1/models/ranker HTTP/1.1",
            b"GET /monitoring/prometheus/metrics HTTP/1.1",
            b"PRI * HTTP/2.0",
        ]
    )
    | st.binary(max_size=30),
    headers=headers,
    body=st.binary(max_size=30) | st.sampled_from([b"0\r\n\r\n", b"3\r\nabc\r\n"]),
)
def test_http_bytes(server, start, headers, body):
    """What is no HTTP, or half of it: answered as the client's fault, or not at all."""
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers.items()]
    message = b"\r\n".join([start, *lines, b"", body])
    address = ("127.0.0.1", server.rest_port)
    with socket.create_connection(address, timeout=20) as sock:
        sock.sendall(message)
        sock.shutdown(socket.SHUT_WR)
        received = sock.makefile("rb").read()
    if received.startswith(b"HTTP/"):
        assert 100 <= int(received.split()[1]) < 500, received


@SETTINGS
@given(
    path=st.lists(
        st.sampled_from(
            ["v1", "models", "ranker", "versions", "1", "metadata", "labels", "..", "."]
        )
        | st.text("abc%:?#2e", max_size=4),
        max_size=6,
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
)
def test_rest_paths(rest, path, method):
    status, answer = rest.call(method, "/" + "/".join(path))
    assert status < 500 or (status == 501 and ":" in path), answer


@SETTINGS
@given(
    signature=st.sampled_from(SIGNATURES),
    inputs=st.dictionaries(st.sampled_from(INPUT_NAMES), tensors, max_size=3),
    output_filter=st.lists(st.sampled_from(["y", "scores", "nope"]), max_size=2),
    version=st.none() | st.integers(-(2**63), 2**63 - 1),
)
def test_grpc_requests(
    prediction_stub, predict_request, signature, inputs, output_filter, version
):
    request = predict_request(signature)
    for name, fields in inputs.items():
        request.inputs[name].CopyFrom(tensor_pb2.TensorProto(**fields))
    request.output_filter.extend(output_filter)
    if version is not None:
        request.model_spec.version.value = version
    _, code = answer_and_code(prediction_stub.Predict, request)
    assert code in {"OK", *CLIENTS_FAULT}


@SETTINGS
@given(data=st.data())
def test_grpc_changed_inputs(prediction_stub, predict_request, data):
    """A right request but for one tensor, so that values reach the graph."""
    request = predict_request("rank", USER | CANDIDATES)
    name = data.draw(st.sampled_from([*USER, *CANDIDATES]))
    fields = data.draw(tensors)
    fields["dtype"] = request.inputs[name].dtype
    del fields["tensor_shape"]["unknown_rank"]
    request.inputs[name].CopyFrom(tensor_pb2.TensorProto(**fields))
    answer, code = answer_and_code(prediction_stub.Predict, request)
    if code == "OK":
        assert "scores" in answer.outputs
    else:
        assert code in CLIENTS_FAULT


@SETTINGS
@given(
    spec=model_specs,
    given_=inputs_of_examples,
    method=st.sampled_from(["Classify", "Regress"]),
)
def test_grpc_examples(prediction_stub, spec, given_, method):
    request_class = {
        "Classify": classification_pb2.ClassificationRequest,
        "Regress": regression_pb2.RegressionRequest,
    }[method]
    request = request_class(model_spec=spec, input=given_)
    _, code = answer_and_code(getattr(prediction_stub, method), request)
    assert code in {"OK", *CLIENTS_FAULT}


@SETTINGS
@given(
    tasks=st.lists(st.tuples(model_specs, st.sampled_from(METHODS)), max_size=2),
    given_=inputs_of_examples,
)
def test_grpc_multi_inference(prediction_stub, tasks, given_):
    request = inference_pb2.MultiInferenceRequest(input=given_)
    for spec, method in tasks:
        request.tasks.add(model_spec=spec, method_name=method)
    _, code = answer_and_code(prediction_stub.MultiInference, request)
    assert code in {"OK", "UNIMPLEMENTED", *CLIENTS_FAULT}


@SETTINGS
@given(
    method=st.sampled_from(
        [
            "PredictionService/Predict",
            "PredictionService/Classify",
            "PredictionService/Regress",
            "PredictionService/MultiInference",
            "PredictionService/GetModelMetadata",
            "ModelService/GetModelStatus",
            "PredictionService/Nope",
        ]
    ),
    message=st.binary(max_size=40)
    | st.binary(max_size=12).map(lambda end: b"\x0a\x08\x0a\x06ranker" + end),
)
def test_grpc_bytes(channel, method, message):
    call = channel.unary_unary(f"/tensorflow.serving.{method}")
    _, code = answer_and_code(call, message)
    allowed = {"OK", *CLIENTS_FAULT}
    if method.endswith(("Nope", "MultiInference")):
        allowed |= {"UNIMPLEMENTED"}
    assert code in allowed


@SETTINGS
@given(
    spec=model_specs,
    fields=st.lists(st.sampled_from(["signature_def", "", "nope"]), max_size=2),
)
def test_grpc_questions_about_models(prediction_stub, model_stub, spec, fields):
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=spec, metadata_field=fields
    )
    status = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
    for call, request in [
        (prediction_stub.GetModelMetadata, metadata),
        (model_stub.GetModelStatus, status),
    ]:
        _, code = answer_and_code(call, request)
        assert code in {"OK", *CLIENTS_FAULT}


def answer_and_code(call, request):
    try:
        return call(request, timeout=30), "OK"
    except grpc.RpcError as error:
        return None, error.code().name
