import socket
import time

import numpy as np
import pandas as pd
import pytest

from serving.client.ranking_client import RankingClient
from serving.protocol.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    ServingError,
    Unavailable,
)
from tests.helpers.toy_model import CANDIDATES, TASKS, USER, example

pytestmark = pytest.mark.e2e

RANK = USER | CANDIDATES
# As an application has them: no batch, lists as long as they are.
PLAIN_USER = {name: value[0] for name, value in USER.items()}
PLAIN_CANDIDATES = CANDIDATES | {"video_tags": [["music", "live"], ["news"], []]}


@pytest.fixture(params=["grpc", "rest"])
def address(request, server):
    if request.param == "grpc":
        return {"grpc": f"127.0.0.1:{server.grpc_port}"}
    return {"rest": f"http://127.0.0.1:{server.rest_port}"}


@pytest.fixture
def client(address):
    with RankingClient(**address) as client:
        yield client


def test_rank_equals_the_model_in_process(client, in_process):
    result = client.rank(PLAIN_USER, PLAIN_CANDIDATES)
    expected = in_process("rank", RANK)
    assert result.tasks == tuple(TASKS)
    assert result.scores.dtype == np.float32
    np.testing.assert_array_equal(result.scores, expected["scores"])
    np.testing.assert_array_equal(result.fused, expected["fused"])
    as_dict = result.as_dict()
    assert list(as_dict["scores"]) == TASKS
    assert as_dict["fused"] == expected["fused"].tolist()


def test_a_user_without_history_and_one_candidate(client, in_process):
    nothing = {"history_video_ids": [], "history_gap_ms": []}
    one = {name: value[:1] for name, value in PLAIN_CANDIDATES.items()}
    result = client.rank(PLAIN_USER | nothing, one)
    padded = {"history_video_ids": [[""]], "history_gap_ms": [[10**9]]}
    expected = in_process("rank", USER | padded | one)
    np.testing.assert_array_equal(result.scores, expected["scores"])


def test_predict_converts_to_the_signatures_types(client):
    examples = [example("u", "video", 7), example("u", "v", 14)]
    np.testing.assert_array_equal(
        client.predict({"examples": examples})["score"], np.float32([6, 3])
    )
    answer = client.predict({"x": [[1, 2.5]]}, "doubled")["y"]
    assert answer.dtype == np.float32
    np.testing.assert_array_equal(answer, [[3, 6]])
    echoed = client.predict(
        {
            "text": ["é", b"\xff\x00"],
            "number": [np.nan, 0.2],
            "count": np.int64([3, 4]),
            "flag": [True, False],
        },
        "echo",
    )
    assert list(echoed["text_out"]) == ["é".encode(), b"\xff\x00"]
    np.testing.assert_array_equal(echoed["number_out"], np.float32([np.nan, 0.2]))
    assert echoed["count_out"].dtype == np.int32


def test_no_candidates(client):
    result = client.rank(PLAIN_USER, {name: [] for name in PLAIN_CANDIDATES})
    assert result.scores.shape == (0, len(TASKS))
    assert result.fused.shape == (0,)
    assert result.tasks == tuple(TASKS)
    assert result.as_dict() == {"scores": {task: [] for task in TASKS}, "fused": []}


def test_status_and_metadata(client):
    assert {(s.version, s.state) for s in client.status()} == {
        (1, "AVAILABLE"),
        (2, "AVAILABLE"),
    }
    metadata = client.metadata()
    assert metadata.version == 2
    rank = metadata.signatures["rank"]
    assert rank.inputs["history_gap_ms"].describe() == "int64 [1, ?]"
    assert rank.outputs["scores"].describe() == "float32 [?, 2]"


@pytest.mark.parametrize(
    ("inputs", "signature", "error", "words"),
    [
        ({"x": [[1, 2]]}, "nope", FailedPrecondition, "doubled"),
        ({}, "doubled", InvalidArgument, "Missing"),
        ({"x": [[1, 2]], "z": 1}, "doubled", InvalidArgument, "Sent extra"),
        ({"x": [["a", 2]]}, "doubled", InvalidArgument, "'x'"),
        ({"x": [[1, 2, 3]]}, "doubled", InvalidArgument, "'x'"),
        ({"x": [1, [2]]}, "doubled", InvalidArgument, "'x'"),
        ({"x": [[1, 1e39]]}, "doubled", InvalidArgument, "too large"),
        (RANK | {"avc": 1.5}, "rank", InvalidArgument, "'avc'"),
        (RANK | {"avc": 2**63}, "rank", InvalidArgument, "'avc'"),
        (RANK | {"user_id": 7}, "rank", InvalidArgument, "'user_id'"),
        ({"examples": [b"junk"]}, "serving_default", InvalidArgument, "not be found"),
    ],
)
def test_wrong_inputs(client, inputs, signature, error, words):
    with pytest.raises(error, match=words) as raised:
        client.predict(inputs, signature)
    assert isinstance(raised.value, ServingError)
    assert raised.value.code
    assert words in raised.value.message


def test_an_input_of_both_the_user_and_the_candidates_is_refused(client):
    """One of the two would be left out."""
    with pytest.raises(InvalidArgument, match="Received of both: avc, video_id"):
        client.rank(
            PLAIN_USER | {"video_id": "v1"}, PLAIN_CANDIDATES | {"avc": [1, 2, 3]}
        )


def test_a_long_value_is_shortened_in_the_message(client):
    for wrong in ("x" * 10_000, ["x" * 10_000] * 9, [[1, 2], "y" * 10_000]):
        with pytest.raises(InvalidArgument, match="'avc'") as raised:
            client.rank(PLAIN_USER | {"avc": wrong}, PLAIN_CANDIDATES)
        assert len(raised.value.message) < 200
        assert "\n" not in raised.value.message


def test_whatever_becomes_a_list_is_taken_for_one(client, in_process):
    tables = pd.DataFrame(PLAIN_CANDIDATES)
    result = client.rank(PLAIN_USER, {name: tables[name] for name in tables})
    expected = in_process("rank", RANK)
    np.testing.assert_array_equal(result.scores, expected["scores"])


@pytest.mark.parametrize("timeout_s", [1e12, float("inf")])
def test_a_client_may_wait_for_ever(client, timeout_s):
    assert client.status(timeout_s=timeout_s)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("-inf")])
def test_a_timeout_is_positive(client, timeout_s):
    with pytest.raises(ValueError, match="must be positive"):
        client.status(timeout_s=timeout_s)


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_a_request_above_the_servers_limit(server, protocol):
    """Told as such, however much of it the server reads."""
    place = {
        "grpc": f"127.0.0.1:{server.grpc_port}",
        "rest": f"http://127.0.0.1:{server.rest_port}",
    }[protocol]
    with RankingClient(**{protocol: place}) as client:
        for size in (2**20, 2**25):
            huge = PLAIN_CANDIDATES | {"video_id": ["v1", "v2", "x" * size]}
            with pytest.raises(ResourceExhausted, match=str(2**20)):
                client.rank(PLAIN_USER, huge)
        assert client.rank(PLAIN_USER, PLAIN_CANDIDATES).scores.shape == (3, 2)


def test_the_port_of_the_other_protocol_is_told(server):
    with (
        RankingClient(grpc=f"127.0.0.1:{server.rest_port}") as client,
        pytest.raises(Unavailable, match="HTTP"),
    ):
        client.status(timeout_s=5)
    with (
        RankingClient(rest=f"http://127.0.0.1:{server.grpc_port}") as client,
        pytest.raises(Unavailable, match="the port of gRPC"),
    ):
        client.status(timeout_s=5)
    with pytest.raises(ValueError, match="needs host:port"):
        RankingClient(grpc=f"http://127.0.0.1:{server.grpc_port}")


def test_unknown_model(address):
    with (
        RankingClient(**address, name="nope") as client,
        pytest.raises(NotFound, match="nope"),
    ):
        client.status()


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_no_server(protocol):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with (
            RankingClient(**{protocol: url(protocol, address)}) as client,
            pytest.raises(Unavailable, match=address) as raised,
        ):
            client.status()
    assert "refused" in raised.value.message
    assert " object at " not in raised.value.message


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_a_server_that_never_answers(protocol):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with (
            RankingClient(
                **{protocol: url(protocol, address)}, timeout_s=0.5
            ) as client,
            pytest.raises(DeadlineExceeded, match=address),
        ):
            client.status()
        assert time.monotonic() - started < 5


def url(protocol, address):
    return address if protocol == "grpc" else f"http://{address}"


def test_an_address_is_needed():
    with pytest.raises(ValueError, match="grpc, rest or both"):
        RankingClient()
