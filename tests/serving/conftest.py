"""One toy model with two versions and one server of it for the whole folder."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from tests.helpers import toy_model

SERVERS = {"server", "endpoint"}  # the fixtures of this folder that start one


def pytest_collection_modifyitems(items):
    for item in items:
        if SERVERS.intersection(item.fixturenames):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toy_model")
    toy_model.save(str(folder / "1"), offset=0.0)
    toy_model.save(str(folder / "2"), offset=1.0)
    toy_model.write_warmup(
        str(folder / "2"),
        toy_model.warmup_log("rank", toy_model.USER | toy_model.CANDIDATES),
    )
    return folder


@pytest.fixture(scope="session")
def in_process(model_dir):
    """The newest version's signatures, run without a server."""
    loaded = tf.saved_model.load(str(model_dir / "2"))

    def run(signature: str, inputs: dict) -> dict:
        outputs = loaded.signatures[signature](
            **{name: toy_model.as_tensor(value) for name, value in inputs.items()}
        )
        return {name: value.numpy() for name, value in outputs.items()}

    return run


@pytest.fixture(scope="session")
def server(model_dir):
    with EmbeddedServer(
        model_dir,
        ServerOptions(
            grpc_port=0,
            rest_port=0,
            num_versions=2,
            max_request_bytes=2**20,
            workers=2,
        ),
    ) as running:
        yield running


@dataclass(frozen=True)
class Rest:
    """Plain HTTP requests of one server."""

    url: str

    def call(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        status, text = self._send(method, path, body, headers)
        return status, json.loads(text)

    def status(self, path: str) -> int:
        return self._send("GET", path)[0]

    def text(self, path: str) -> str:
        return self._send("GET", path)[1].decode()

    def _send(
        self, method: str, path: str, body: bytes | None = None, headers: Any = None
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(
            f"{self.url}{path}", data=body, method=method, headers=headers or {}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def get(self, path: str) -> tuple[int, Any]:
        return self.call("GET", path)

    def predict(self, request: Any, model: str = "ranker") -> tuple[int, Any]:
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        return self.call("POST", f"/v1/models/{model}:predict", body)


@pytest.fixture(scope="session")
def make_rest():
    def make(server: EmbeddedServer) -> Rest:
        return Rest(f"http://127.0.0.1:{server.rest_port}")

    return make


@pytest.fixture(scope="session")
def rest(server, make_rest) -> Rest:
    return make_rest(server)


@pytest.fixture(scope="session")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


@pytest.fixture(scope="session")
def prediction_stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="session")
def model_stub(channel):
    return model_service_pb2_grpc.ModelServiceStub(channel)


@pytest.fixture(scope="session")
def predict_request():
    def make(
        signature: str = "",
        inputs: dict | None = None,
        name: str = "ranker",
        **spec: Any,
    ) -> predict_pb2.PredictRequest:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        if "version" in spec:
            request.model_spec.version.value = spec["version"]
        if "label" in spec:
            request.model_spec.version_label = spec["label"]
        for input_name, value in (inputs or {}).items():
            proto = value
            if not isinstance(value, tf.make_tensor_proto(0).__class__):
                proto = tf.make_tensor_proto(toy_model.as_tensor(value))
            request.inputs[input_name].CopyFrom(proto)
        return request

    return make
