"""`ModelService`, asked by the official stub."""

import shutil

import grpc
import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from serving.client.ranking_client import RankingClient
from serving.protocol.errors import NotFound
from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from tests.helpers.grpc_errors import code_and_message

pytestmark = pytest.mark.e2e

X = {"x": [[1.0, 2.0]]}
State = get_model_status_pb2.ModelVersionStatus.State


def status_request(name="ranker", version=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


def test_status(model_stub):
    response = model_stub.GetModelStatus(status_request(), timeout=30)
    states = [(s.version, State.Name(s.state)) for s in response.model_version_status]
    assert states == [(2, "AVAILABLE"), (1, "AVAILABLE")]
    one = model_stub.GetModelStatus(status_request(version=1), timeout=30)
    assert [status.version for status in one.model_version_status] == [1]
    assert one.model_version_status[0].status.error_code == 0


def test_status_of_what_is_not_there(model_stub):
    call = model_stub.GetModelStatus
    assert code_and_message(call, status_request(version=3)) == (
        "NOT_FOUND",
        "Could not find version 3 of model ranker",
    )
    assert code_and_message(call, status_request("nope")) == (
        "NOT_FOUND",
        "Could not find any versions of model nope",
    )
    assert code_and_message(call, get_model_status_pb2.GetModelStatusRequest()) == (
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    )


@pytest.fixture
def reloadable(model_dir, tmp_path):
    """A server, its stub, and a second model's folder with a broken version 6."""
    shutil.copytree(model_dir / "1", tmp_path / "5")
    (tmp_path / "6").mkdir()
    (tmp_path / "6" / "saved_model.pb").write_bytes(b"no model")
    with (
        EmbeddedServer(
            model_dir, ServerOptions(grpc_port=0, rest_port=0, workers=1)
        ) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        yield server, model_service_pb2_grpc.ModelServiceStub(channel), tmp_path


def reload_request(*models):
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    for name, base, *policy in models:
        entry = request.config.model_config_list.config.add(
            name=name, base_path=str(base), model_platform="tensorflow"
        )
        if policy:
            entry.model_version_policy.specific.versions.extend(policy)
    return request


def test_models_come_and_go_at_run_time(reloadable, model_dir):
    server, stub, other = reloadable
    address = f"127.0.0.1:{server.grpc_port}"
    with (
        RankingClient(grpc=address, name="ranker") as ranker,
        RankingClient(grpc=address, name="other") as second,
    ):
        request = reload_request(("ranker", model_dir), ("other", other, 5))
        response = stub.HandleReloadConfigRequest(request, timeout=60)
        assert (response.status.error_code, response.status.error_message) == (0, "")
        assert second.predict(X, "doubled")["y"].tolist() == [[2.0, 4.0]]
        assert ranker.predict(X, "doubled")["y"].tolist() == [[3.0, 5.0]]
        stub.HandleReloadConfigRequest(reload_request(("other", other, 5)), timeout=60)
        with pytest.raises(NotFound, match=r"Latest\(ranker\)"):
            ranker.predict(X, "doubled")
        status = stub.GetModelStatus(status_request(), timeout=30).model_version_status
        assert [State.Name(each.state) for each in status] == ["END"]


def test_a_model_that_does_not_load_is_reported(reloadable, model_dir):
    _, stub, other = reloadable
    request = reload_request(("ranker", model_dir), ("other", other, 6))
    code, message = code_and_message(stub.HandleReloadConfigRequest, request)
    assert code == "UNKNOWN"
    assert message.startswith("1 model(s) did not become available: ")
    assert str(other / "6") in message
    status = stub.GetModelStatus(status_request("other"), timeout=30)
    broken = status.model_version_status[0]
    assert (broken.version, State.Name(broken.state)) == (6, "END")
    assert broken.status.error_code == 2
    assert str(other / "6") in broken.status.error_message


def test_what_is_refused_changes_nothing(reloadable, model_dir):
    server, stub, other = reloadable
    labelled = reload_request(("ranker", model_dir))
    labelled.config.model_config_list.config[0].version_labels["stable"] = 1
    for request, code, words in [
        (model_management_pb2.ReloadConfigRequest(), "INVALID_ARGUMENT", "Only Model"),
        (reload_request(("a", other), ("a", other)), "INVALID_ARGUMENT", "multiple"),
        (reload_request(("a", "b")), "INVALID_ARGUMENT", "absolute path or URI"),
        (labelled, "FAILED_PRECONDITION", "assign label to version 1 of model ranker"),
    ]:
        received, message = code_and_message(stub.HandleReloadConfigRequest, request)
        assert (received, words in message) == (code, True), message
    with RankingClient(grpc=f"127.0.0.1:{server.grpc_port}") as client:
        assert client.predict(X, "doubled")["y"].tolist() == [[3.0, 5.0]]
