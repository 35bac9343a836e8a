"""Starting, stopping and draining."""

import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from serving.client.ranking_client import RankingClient
from serving.protocol.errors import Internal, Unavailable
from serving.server.embedded_server import EmbeddedServer
from serving.server.models.saved_model import ModelLoadError
from serving.server.ports import ListenError
from serving.server.prediction.predictor import Predictor
from serving.server.settings.server_options import ServerOptions

pytestmark = pytest.mark.e2e

X = {"x": [[1.0, 2.0]]}


def test_start_stop_and_start_again(model_dir):
    server = EmbeddedServer(
        model_dir, ServerOptions(name="toy", grpc_port=0, rest_port=0)
    )
    for _ in range(2):
        server.start()
        grpc, rest = f"127.0.0.1:{server.grpc_port}", server.rest_port
        with RankingClient(grpc=grpc, name="toy") as client:
            assert client.predict(X, "doubled")["y"].tolist() == [[3, 5]]
        with pytest.raises(RuntimeError, match="already running"):
            server.start()
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", rest), timeout=1)
    server.stop()


@pytest.mark.parametrize("argument", ["grpc_port", "rest_port"])
def test_a_port_in_use(model_dir, server, argument):
    taken = getattr(server, argument)
    ports = {"grpc_port": 0, "rest_port": 0} | {argument: taken}
    threads = threading.active_count()
    with pytest.raises(ListenError, match=f"{taken}.*{argument}"):
        EmbeddedServer(model_dir, ServerOptions(num_versions=1, **ports)).start()
    assert threading.active_count() <= threads


def test_a_missing_model(tmp_path):
    with pytest.raises(ModelLoadError, match="nowhere"):
        EmbeddedServer(
            tmp_path / "nowhere", ServerOptions(grpc_port=0, rest_port=0)
        ).start()


def test_a_defect_is_an_internal_error_without_details(
    server, rest, monkeypatch, caplog
):
    def fail(*_, **__):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(Predictor, "predict", fail)
    request = {"signature_name": "doubled", "inputs": X}
    status, answer = rest.predict(request)
    assert (status, "secret" in answer["error"]) == (500, False)
    with (
        RankingClient(grpc=f"127.0.0.1:{server.grpc_port}") as client,
        pytest.raises(Internal) as raised,
    ):
        client.predict(X, "doubled")
    assert "secret" not in raised.value.message
    assert caplog.text.count("ZeroDivisionError: a secret") == 2
    monkeypatch.undo()
    assert rest.predict(request)[0] == 200


class Slow(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([], tf.int64, name="steps")])
    def spin(self, steps):
        """Says that it has started, then works for a while."""
        with tf.control_dependencies([tf.print("spinning", output_stream=sys.stderr)]):
            total = tf.constant(0.5, tf.float64)
        for _ in tf.range(steps):
            total = tf.sin(total) + 1.0
        return {"total": total}


@pytest.fixture(scope="module")
def slow_model_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow_model")
    model = Slow()
    tf.saved_model.save(
        model, str(folder / "1"), signatures={"serving_default": model.spin}
    )
    return folder


def test_sigterm_drains_both_protocols(slow_model_dir):
    code = (
        "from serving.server.embedded_server import serve_forever; "
        "from serving.server.settings.server_options import ServerOptions; "
        f"serve_forever({SERVE_ARGUMENTS})"
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", code, str(slow_model_dir)],
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        ThreadPoolExecutor(2) as pool,
    ):
        try:
            grpc_port, rest_port = ports(process)
            clients = [
                RankingClient(grpc=f"127.0.0.1:{grpc_port}", timeout_s=60),
                RankingClient(rest=f"http://127.0.0.1:{rest_port}", timeout_s=60),
            ]
            answers = [
                pool.submit(client.predict, {"steps": STEPS}) for client in clients
            ]
            for _ in clients:
                wait_for(process, "spinning")
            assert not all(answer.done() for answer in answers)
            process.send_signal(signal.SIGTERM)
            totals = [float(answer.result(60)["total"]) for answer in answers]
            assert totals[0] == totals[1] > 1
            assert process.wait(60) == 0
            for client in clients:
                with pytest.raises(Unavailable):
                    client.status()
        finally:
            process.kill()


STEPS = 20_000
SERVE_ARGUMENTS = "__import__('sys').argv[1], ServerOptions(grpc_port=0, rest_port=0)"


def ports(process):
    """The ports of a server that has just started, from its log."""
    line = wait_for(process, "REST port")
    match = re.search(r"gRPC port (\d+), REST port (\d+)", line)
    return match.groups()


def wait_for(process, words):
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"the server ended without {words!r}")
