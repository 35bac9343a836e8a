"""What a server bears: too many, too large, too slow, hang-ups, and its own end."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.protocol.errors import Unavailable
from serving.server.embedded_server import EmbeddedServer
from serving.server.prediction.admission import Admission
from serving.server.prediction.predictor import Predictor
from serving.server.settings.server_options import ServerOptions

pytestmark = pytest.mark.e2e

X = {"x": [[1.0, 2.0]]}
BODY = json.dumps({"signature_name": "doubled", "inputs": X}).encode()
LIMIT = 2


@pytest.fixture(scope="module")
def small(model_dir):
    """A server that bears little."""
    with EmbeddedServer(
        model_dir,
        ServerOptions(
            grpc_port=0,
            rest_port=0,
            num_versions=1,
            max_request_bytes=2**16,
            max_in_flight=LIMIT,
            rest_timeout_s=1.5,
            idle_s=0.5,
        ),
    ) as running:
        yield running


@pytest.fixture
def held(monkeypatch):
    """Predictions wait until told to go on; tells how many have begun and ended."""
    original = Predictor.predict
    go_on = threading.Event()
    counts = {"begun": threading.Semaphore(0), "cancelled": threading.Semaphore(0)}

    async def wait(self, *arguments, **options):
        counts["begun"].release()
        try:
            while not go_on.is_set():
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            counts["cancelled"].release()
            raise
        return await original(self, *arguments, **options)

    monkeypatch.setattr(Predictor, "predict", wait)
    yield go_on, counts
    go_on.set()


def stub_of(server):
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
    return channel, prediction_service_pb2_grpc.PredictionServiceStub(channel)


@contextmanager
def connection(server):
    address = ("127.0.0.1", server.rest_port)
    with socket.create_connection(address, timeout=20) as sock:
        yield sock


def post(body: bytes, length: int | None = None, **headers: str) -> bytes:
    lines = [
        "POST /v1/models/ranker:predict HTTP/1.1",
        "Host: server",
        f"Content-Length: {len(body) if length is None else length}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(sock) -> tuple[int, bytes]:
    """Status and all that follows, until the server closes or the body is whole."""
    file = sock.makefile("rb")
    status = int(file.readline().split()[1])
    length = 0
    for line in iter(file.readline, b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, file.read(length)


def test_more_than_the_limit_are_unavailable(small, held, predict_request):
    go_on, counts = held
    channel, stub = stub_of(small)
    with channel, connection(small) as waiting, connection(small) as refused:
        first = stub.Predict.future(predict_request("doubled", X), timeout=30)
        counts["begun"].acquire(timeout=20)
        waiting.sendall(post(BODY))
        counts["begun"].acquire(timeout=20)
        with pytest.raises(grpc.RpcError) as raised:
            stub.Predict(predict_request("doubled", X), timeout=30)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "2 requests in flight" in raised.value.details()
        refused.sendall(post(BODY))
        status, body = answer(refused)
        assert (status, list(json.loads(body))) == (503, ["error"])
        go_on.set()
        assert list(first.result().outputs["y"].float_val) == [3, 5]
        assert answer(waiting)[0] == 200


def test_a_cancelled_call_ends_its_request(small, held, predict_request):
    _, counts = held
    channel, stub = stub_of(small)
    with channel:
        call = stub.Predict.future(predict_request("doubled", X), timeout=30)
        counts["begun"].acquire(timeout=20)
        call.cancel()
        assert counts["cancelled"].acquire(timeout=20)


def test_a_deadline_ends_its_request(small, held, predict_request):
    _, counts = held
    channel, stub = stub_of(small)
    with channel:
        with pytest.raises(grpc.RpcError) as raised:
            stub.Predict(predict_request("doubled", X), timeout=0.3)
        assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert counts["cancelled"].acquire(timeout=20)


def test_a_rest_client_that_hangs_up_ends_its_request(server, held):
    # Its own limit of 30 seconds is longer than what is waited for here.
    _, counts = held
    with connection(server) as sock:
        sock.sendall(post(BODY))
        counts["begun"].acquire(timeout=20)
    assert counts["cancelled"].acquire(timeout=20)


def test_a_rest_answer_that_takes_too_long(small, held):
    _, counts = held
    with connection(small) as sock:
        sock.sendall(post(BODY))
        status, body = answer(sock)
    assert (status, list(json.loads(body))) == (504, ["error"])
    assert counts["cancelled"].acquire(timeout=20)


def test_a_body_that_does_not_arrive(small):
    with connection(small) as sock:
        sock.sendall(post(BODY[:3], length=len(BODY)))
        status, body = answer(sock)
    assert (status, list(json.loads(body))) == (408, ["error"])


@pytest.mark.parametrize("sent", [b"", b"POST /v1/mod", b"GET / HTTP/1.1\r\nA: b\r\n"])
def test_a_header_that_does_not_arrive(small, sent):
    start = time.monotonic()
    with connection(small) as sock:
        sock.sendall(sent)
        assert sock.recv(100) == b""
    assert time.monotonic() - start < 15


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"", padding="x" * 10_000), 400),
        (b"GET /v1/" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n", 400),
        (post(b"x" * (2**16 + 1)), 413),
        (post(b"", **{"Content-Encoding": "gzip"}), 400),
        (post(b"no gzip", **{"Content-Encoding": "gzip"}), 400),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_requests_that_http_refuses(small, request_, status):
    with connection(small) as sock:
        sock.sendall(request_)
        assert answer(sock)[0] == status


def test_a_few_packed_bytes_do_not_become_a_huge_body(small):
    import gzip

    packed = gzip.compress(b" " * 2**24)
    assert len(packed) < 2**16
    with connection(small) as sock:
        sock.sendall(post(packed, **{"Content-Encoding": "gzip"}))
        assert answer(sock)[0] == 413


def test_a_body_that_is_announced_too_large_is_not_waited_for(small):
    with connection(small) as sock:
        sock.sendall(post(BODY, length=2**16 + 1))
        status, body = answer(sock)
    assert status == 413
    assert str(2**16) in json.loads(body)["error"]


def test_bodies_that_break_off_and_what_is_no_http_leave_no_traceback(server, caplog):
    with caplog.at_level("INFO"):
        with connection(server) as sock:
            sock.sendall(post(BODY[:3], length=len(BODY)))
        for sent in (b"\x16\x03\x01", b"nonsense\r\n\r\n", post(b"", length=-1)):
            with connection(server) as sock:
                sock.sendall(sent + b"\r\n\r\n")
                assert answer(sock)[0] == 400
        with connection(server) as sock:  # the last of them is logged by now
            sock.sendall(post(BODY))
            assert answer(sock)[0] == 200
    assert caplog.records
    assert {record.levelname for record in caplog.records} == {"INFO"}
    for record in caplog.records:
        assert "127.0.0.1: " in record.getMessage()
        assert not record.exc_info


def test_huge_metadata_is_refused(small, predict_request):
    channel, stub = stub_of(small)
    with channel, pytest.raises(grpc.RpcError) as raised:
        stub.Predict(
            predict_request("doubled", X),
            timeout=20,
            metadata=[("padding", "x" * 40_000)],
        )
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_stopping_finishes_what_has_begun_and_refuses_the_rest(
    model_dir, held, predict_request
):
    go_on, counts = held
    server = EmbeddedServer(
        model_dir, ServerOptions(grpc_port=0, rest_port=0, num_versions=1)
    ).start()
    channel, stub = stub_of(server)
    with channel, connection(server) as other:
        first = stub.Predict.future(predict_request("doubled", X), timeout=30)
        counts["begun"].acquire(timeout=20)
        states = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(), timeout=30
        )
        assert next(states).status == health_pb2.HealthCheckResponse.SERVING
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert next(states).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as raised:
            stub.Predict(predict_request("doubled", X), timeout=30)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in raised.value.details()
        other.sendall(post(BODY))
        assert answer(other)[0] == 503
        go_on.set()
        assert list(first.result().outputs["y"].float_val) == [3, 5]
        stopping.join(timeout=20)
        assert not stopping.is_alive()


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)]
)
def test_listening_to_all_without_tls_is_warned_of(model_dir, caplog, host, warned):
    server = EmbeddedServer(
        model_dir, ServerOptions(grpc_port=0, rest_port=0, num_versions=1, host=host)
    )
    with caplog.at_level("WARNING", "serving"), server:
        pass
    assert ("without TLS" in caplog.text) == warned


class TestAdmission:
    def test_closing_waits_for_those_inside(self):
        async def run():
            admission = Admission(LIMIT)
            with admission:
                closing = asyncio.create_task(admission.close(timeout_s=20))
                await asyncio.sleep(0)
                with pytest.raises(Unavailable, match="shutting down"), admission:
                    pass
                assert not closing.done()
            return await closing, admission.in_flight

        assert asyncio.run(run()) == (True, 0)

    def test_closing_gives_up_after_a_time(self):
        async def run():
            admission = Admission(LIMIT)
            with admission:
                return await admission.close(timeout_s=0.01)

        assert asyncio.run(run()) is False

    def test_one_that_fails_makes_room(self):
        admission = Admission(1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError), admission:
                raise ZeroDivisionError

    def test_a_limit_below_one(self):
        with pytest.raises(ValueError, match="received 0"):
            Admission(0)
