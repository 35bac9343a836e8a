"""Batches as callers of a running server see them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.batching_config import BatchingParameters
from serving.server.settings.server_options import ServerOptions
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.e2e

FOR_EVER_MICROS = 600_000_000


@pytest.fixture
def batching_server(model_dir):
    parameters = BatchingParameters(
        max_batch_size=4,
        batch_timeout_micros=FOR_EVER_MICROS,
        max_enqueued_batches=1,
        num_batch_threads=1,
    )
    with EmbeddedServer(
        model_dir, ServerOptions(grpc_port=0, rest_port=0, batching=parameters)
    ) as server:
        yield server


@pytest.fixture
def ask(batching_server, predict_request):
    with grpc.insecure_channel(f"127.0.0.1:{batching_server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def ask(first: float, rows: int = 1) -> list[float]:
            request = predict_request("doubled", {"x": [[first, 0.0]] * rows})
            return list(stub.Predict(request, timeout=60).outputs["y"].float_val)

        yield ask


@pytest.fixture
def metric(batching_server, make_rest):
    def value(name: str) -> float:
        lines = make_rest(batching_server).text("/monitoring/prometheus/metrics")
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines.splitlines()
            if line.split("{")[0].split(" ")[0] == name
        )

    return value


def test_a_full_batch_is_run_at_once_and_each_caller_has_its_own_rows(ask, metric):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [1.0, 2.0, 3.0, 4.0]))
    assert answers == [[2 * x + 1, 1.0] for x in (1.0, 2.0, 3.0, 4.0)]
    assert metric("poso_batch_requests_count") == 1
    assert metric("poso_batch_requests_sum") == 4


def test_a_full_queue_is_unavailable_on_both_protocols(
    ask, metric, batching_server, make_rest
):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, 1.0, 3)
        wait_until(lambda: metric("poso_requests_waiting_for_batch") == 1)
        with pytest.raises(grpc.RpcError) as raised:
            ask(2.0, 2)  # does not fit beside it, and a second batch may not wait
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
        body = {"signature_name": "doubled", "instances": [[2.0, 0.0]] * 2}
        assert make_rest(batching_server).predict(body)[0] == 503
        assert ask(5.0) == [11.0, 1.0]  # fills the batch
        assert waiting.result() == [3.0, 1.0] * 3


def test_a_server_that_stops_answers_what_waits(ask, metric, batching_server):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, 1.0)
        wait_until(lambda: metric("poso_requests_waiting_for_batch") == 1)
        stopping = threading.Thread(target=batching_server.stop)
        stopping.start()
        assert waiting.result() == [3.0, 1.0]
        stopping.join()
