"""No input may crash the server or be its own error."""

import json

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from toy_model import CANDIDATES, USER

pytestmark = pytest.mark.e2e

INPUT_NAMES = [*USER, *CANDIDATES, "x", "text", "number", "count", "flag", "examples"]
SIGNATURES = ["rank", "predict_raw", "echo", "doubled", "serving_default", "", "nope"]
SETTINGS = settings(
    max_examples=200,
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


def answer_and_code(call, request):
    try:
        return call(request, timeout=30), "OK"
    except grpc.RpcError as error:
        return None, error.code().name
