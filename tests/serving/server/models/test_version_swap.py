"""Versions come and go under load: no request fails, no answer is stale."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from tests.helpers import toy_model
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.e2e

X = [[1.0, 2.0]]
VERSIONS = [1, 2, 3, 4, 5, 6]
BROKEN = 4


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Version n answers 2 x + n; one of them is broken."""
    folder = tmp_path_factory.mktemp("exported")
    for number in VERSIONS:
        toy_model.save(str(folder / str(number)), offset=float(number))
        warmup = toy_model.warmup_log("doubled", {"x": X})
        toy_model.write_warmup(str(folder / str(number)), warmup)
    (folder / str(BROKEN) / "saved_model.pb").write_bytes(b"no model")
    return folder


@dataclass
class Caller:
    """Asks for the newest version again and again.

    Attributes:
        ask: Sends one request; the flat answer.
        stop: Ends it.
        answers: When each request was sent, in seconds, and the version that answered.
        errors: What failed.
    """

    ask: Callable[[], list[float]]
    stop: threading.Event
    answers: list[tuple[float, int]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def run(self) -> None:
        while not self.stop.is_set():
            sent_s = time.monotonic()
            try:
                first, second = self.ask()
            except Exception as error:
                self.errors.append(error)
                continue
            assert second - first == 2.0
            self.answers.append((sent_s, int(first - 2.0)))


def grpc_caller(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "ranker"
    request.model_spec.signature_name = "doubled"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(X, tf.float32))
    return lambda: stub.Predict(request, timeout=60).outputs["y"].float_val


def rest_caller(rest):
    def ask():
        body = {"signature_name": "doubled", "inputs": {"x": X}}
        status, answer = rest.predict(body)
        if status != 200:
            raise RuntimeError(f"{status}: {answer}")
        return answer["outputs"][0]

    return ask


def reported_state(channel, number):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "ranker"
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    for status in stub.GetModelStatus(request, timeout=60).model_version_status:
        if status.version == number:
            return get_model_status_pb2.ModelVersionStatus.State.Name(status.state)
    return None


# Callers keep every core busy while a version loads.
PATIENCE_S = 240


def test_swaps_under_load(exported, make_rest, tmp_path):
    shutil.copytree(exported / "1", tmp_path / "1")
    stop, reported = threading.Event(), {}
    with (
        EmbeddedServer(
            tmp_path, ServerOptions(grpc_port=0, rest_port=0, poll_s=0.02)
        ) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        rest = make_rest(server)
        asks = [grpc_caller(channel), rest_caller(rest)] * 2
        callers = [Caller(ask, stop) for ask in asks]
        threads = [threading.Thread(target=caller.run) for caller in callers]
        for thread in threads:
            thread.start()
        try:
            for number in VERSIONS[1:]:
                shutil.copytree(exported / str(number), tmp_path / str(number))
                goal = "END" if number == BROKEN else "AVAILABLE"
                wait_until(
                    lambda number=number, goal=goal: (
                        reported_state(channel, number) == goal
                    ),
                    PATIENCE_S,
                )
                reported[number] = time.monotonic()
                counts = [len(caller.answers) for caller in callers]
                wait_until(
                    lambda counts=counts: all(
                        len(caller.answers) > count + 3
                        for caller, count in zip(callers, counts, strict=True)
                    )
                )
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        assert reported_state(channel, BROKEN) == "END"
        assert reported_state(channel, VERSIONS[-1]) == "AVAILABLE"
        for number in (1, VERSIONS[-2]):
            wait_until(lambda number=number: reported_state(channel, number) == "END")
    del reported[BROKEN]
    for caller in callers:
        assert caller.errors == []
        assert {version for _, version in caller.answers} == {1, *reported}
        for sent_s, version in caller.answers:
            newest = max(
                (n for n, at_s in reported.items() if at_s < sent_s), default=1
            )
            assert version >= newest
