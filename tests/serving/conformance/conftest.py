"""The endpoint under test: the embedded server, or one that the environment names.

POSO_SERVING_GRPC (host:port) and POSO_SERVING_REST (http://host:port) name one that
serves the model of `write_model`; README.md says how.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

# Behind the outer folder, whose conftest other tests import by name.
from tests.helpers import write_model

TIMEOUT_S = 30


@dataclass(frozen=True)
class Endpoint:
    """Where the server listens."""

    grpc: str
    rest: str


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    addresses = os.environ.get("POSO_SERVING_GRPC"), os.environ.get("POSO_SERVING_REST")
    if all(addresses):
        yield Endpoint(*addresses)
        return
    if any(addresses):
        pytest.fail("set both POSO_SERVING_GRPC and POSO_SERVING_REST, or neither")
    yield from embedded(tmp_path_factory.mktemp("conformance"))


def embedded(folder: Path):
    from serving.server.embedded_server import EmbeddedServer
    from serving.server.settings.server_options import ServerOptions

    write_model.write(folder)
    with EmbeddedServer(
        models=folder / "models.config",
        options=ServerOptions(
            grpc_port=0,
            rest_port=0,
            allow_version_labels_for_unavailable_models=True,
        ),
    ) as server:
        yield Endpoint(
            f"127.0.0.1:{server.grpc_port}", f"http://127.0.0.1:{server.rest_port}"
        )


@pytest.fixture(scope="session")
def channel(endpoint):
    with grpc.insecure_channel(endpoint.grpc) as channel:
        yield channel


class Stub:
    """A stub whose calls have a deadline, and `refused` for those that must fail."""

    def __init__(self, stub: Any):
        self._stub = stub

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._stub, method)
        return lambda request: call(request, timeout=TIMEOUT_S)

    def refused(self, method: str, request: Any) -> tuple[str, str]:
        """Code and message of a call that fails."""
        with pytest.raises(grpc.RpcError) as raised:
            getattr(self, method)(request)
        return raised.value.code().name, raised.value.details()


@pytest.fixture(scope="session")
def predictions(channel):
    return Stub(prediction_service_pb2_grpc.PredictionServiceStub(channel))


@pytest.fixture(scope="session")
def models(channel):
    return Stub(model_service_pb2_grpc.ModelServiceStub(channel))


@dataclass(frozen=True)
class Rest:
    """Plain HTTP: status and body."""

    url: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, _, text = self.raw(method, path, body)
        return status, json.loads(text)

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, Any, bytes]:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        data = data.encode() if isinstance(data, str) else data
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path: str) -> tuple[int, Any]:
        return self.call("GET", f"/v1/models/{path}")

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return self.call("POST", f"/v1/models/{path}", body)

    def refused(self, path: str, body: Any) -> int:
        """Status of a POST that fails, with an `error` and nothing else."""
        status, answer = self.post(path, body)
        assert list(answer) == ["error"], answer
        assert answer["error"]
        return status


@pytest.fixture(scope="session")
def rest(endpoint):
    return Rest(endpoint.rest)
