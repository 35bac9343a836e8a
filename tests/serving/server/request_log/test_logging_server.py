"""A server that logs requests, asked over both protocols."""

import json

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2, prediction_service_pb2_grpc

from serving.protocol.tensor_proto import read_tensor
from serving.server.embedded_server import EmbeddedServer
from serving.server.models.saved_model import load_version
from serving.server.models.warmup_replay import replay_warmup_requests
from serving.server.request_log import request_log
from serving.server.request_log.request_log import LogLimits
from serving.server.settings.server_options import ServerOptions
from tests.helpers.toy_model import CANDIDATES, USER, as_tensor, example, write_warmup
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.e2e

METRICS = "/monitoring/prometheus/metrics"
RANK = USER | CANDIDATES
RANK_JSON = {"signature_name": "rank", "inputs": RANK}
EXAMPLE = {"user_id": "u", "video_id": "v", "avc": 1}


@pytest.fixture
def serve(model_dir, make_rest):
    """Asks a server of the toy model; returns the page of its metrics."""

    def run(ask, **options):
        given = ServerOptions(grpc_port=0, rest_port=0, **options)
        with EmbeddedServer(model_dir, given) as server:
            rest = make_rest(server)
            with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
                ask(prediction_service_pb2_grpc.PredictionServiceStub(channel), rest)
            return rest.text(METRICS)

    return run


def logs_in(folder):
    files = sorted(str(path) for path in folder.glob("*.tfrecord"))
    return [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(files).as_numpy_iterator()
    ]


def test_answered_predict_requests_of_both_protocols_are_there(
    serve, predict_request, tmp_path, model_dir
):
    examples = {"examples": [example("u", "video", 7), example("u", "v", 0)]}

    def ask(stub, rest):
        stub.Predict(predict_request("rank", RANK), timeout=30)
        assert rest.predict(RANK_JSON)[0] == 200
        stub.Predict(predict_request("", examples), timeout=30)
        assert rest.predict({"signature_name": "nope", "inputs": {}})[0] != 200
        regress = {"signature_name": "regress", "examples": [EXAMPLE]}
        path, body = "/v1/models/ranker:regress", json.dumps(regress).encode()
        assert rest.call("POST", path, body)[0] == 200

    serve(ask, request_log=tmp_path, request_log_share=1.0)
    assert [path.suffix for path in tmp_path.iterdir()] == [".tfrecord"]
    logs = logs_in(tmp_path)
    requests = [log.predict_log.request for log in logs]
    signatures = [request.model_spec.signature_name for request in requests]
    assert signatures == ["rank", "rank", "serving_default"]
    for request, sent in zip(requests, (RANK, RANK, examples), strict=True):
        assert set(request.inputs) == set(sent)
        for name, values in sent.items():
            read = read_tensor(name, request.inputs[name])
            np.testing.assert_array_equal(read, as_tensor(values).numpy())
    assert {log.log_metadata.model_spec.version.value for log in logs} == {2}
    # They are of the kind that servers take for warm-up requests.
    write_warmup(str(tmp_path), *logs)
    version = load_version(str(model_dir / "2"), 2)
    assert replay_warmup_requests(str(tmp_path), version) == 3


@pytest.mark.parametrize("reason", ["queue", "disk"])
def test_what_cannot_be_logged_fails_no_request(
    serve, predict_request, tmp_path, monkeypatch, reason
):
    (tmp_path / "file").touch()
    folder = tmp_path / ("file" if reason == "disk" else "log")
    if reason == "queue":
        full = LogLimits(waiting_bytes=0)
        monkeypatch.setattr(request_log, "LogLimits", lambda: full)

    def ask(stub, rest):
        for _ in range(3):
            stub.Predict(predict_request("rank", RANK), timeout=30)
            assert rest.predict(RANK_JSON)[0] == 200
        dropped = f'poso_request_log_dropped_total{{reason="{reason}"}} 6.0'
        wait_until(lambda: dropped in rest.text(METRICS))

    page = serve(ask, request_log=folder, request_log_share=1.0)
    assert "poso_request_log_requests_total 0.0" in page
    assert not folder.is_dir()


def test_without_a_share_nothing_is_written_or_counted(serve, tmp_path):
    def ask(stub, rest):
        assert rest.predict(RANK_JSON)[0] == 200

    page = serve(ask, request_log=tmp_path / "log", request_log_share=0.0)
    assert not (tmp_path / "log").exists()
    assert "request_log" not in page
