"""`ModelService`, asked by the official stub."""

from grpc_errors import code_and_message
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2


def test_status(model_stub):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "ranker"
    response = model_stub.GetModelStatus(request, timeout=30)
    states = {s.version: s.state for s in response.model_version_status}
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert states == {1: available, 2: available}
    request.model_spec.version.value = 1
    one = model_stub.GetModelStatus(request, timeout=30).model_version_status
    assert [status.version for status in one] == [1]
    request.model_spec.version.value = 3
    assert code_and_message(model_stub.GetModelStatus, request)[0] == "NOT_FOUND"


def test_missing_model_spec(model_stub):
    request = get_model_status_pb2.GetModelStatusRequest()
    assert code_and_message(model_stub.GetModelStatus, request) == (
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    )


def test_what_is_not_offered(model_stub):
    request = model_management_pb2.ReloadConfigRequest()
    call = model_stub.HandleReloadConfigRequest
    assert code_and_message(call, request)[0] == "UNIMPLEMENTED"
