"""Retries, deadlines, connections, versions, TLS and changed signatures of the client.

Against servers that fail as told, without a model.
"""

import ssl

import grpc
import numpy as np
import pytest
import trustme

from serving.client.ranking_client import RankingClient
from serving.client.retries import Retries, RetryPolicy
from serving.client.tls import TlsFiles
from serving.protocol.errors import (
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from tests.helpers.flaky_server import Script, grpc_server, rest_server

pytestmark = pytest.mark.e2e

AT_ONCE = RetryPolicy(tries=4, first_pause_s=0.0)
REFUSALS = {
    "grpc": ("UNAVAILABLE", "NOT_FOUND", "RESOURCE_EXHAUSTED"),
    "rest": (503, 404, 429),
}


@pytest.fixture
def script():
    return Script()


@pytest.fixture(params=["grpc", "rest"])
def protocol(request):
    return request.param


@pytest.fixture
def connect(script, protocol):
    """Makes clients of the scripted server."""
    serve = {"grpc": grpc_server, "rest": rest_server}[protocol]
    clients = []
    with serve(script) as port:

        def make(**options):
            address = f"127.0.0.1:{port}"
            where = address if protocol == "grpc" else f"http://{address}"
            options = {"retries": Retries(AT_ONCE), **options}
            clients.append(RankingClient(**{protocol: where}, **options))
            return clients[-1]

        yield make
        for client in clients:
            client.close()


def test_an_unavailable_server_is_asked_again(connect, script, protocol):
    unavailable, _, _ = REFUSALS[protocol]
    script.failures = [unavailable] * 3
    answer = connect().predict({"x": [1, 2.5]}, "doubled")["y"]
    np.testing.assert_array_equal(answer, np.float32([2, 5]))
    assert script.calls == ["metadata"] * 4 + ["predict"]


def test_one_that_stays_unavailable_is_given_up(connect, script, protocol):
    script.failures = [REFUSALS[protocol][0]] * 9
    with pytest.raises(Unavailable, match="told"):
        connect().status()
    assert script.calls == ["status"] * 4


def test_other_refusals_are_final(connect, script, protocol):
    _, missing, exhausted = REFUSALS[protocol]
    client = connect()
    for code, error in ((missing, NotFound), (exhausted, ResourceExhausted)):
        script.failures = [code]
        with pytest.raises(error):
            client.status()
    assert script.calls == ["status"] * 2


def test_a_rest_connection_that_breaks_after_sending_is_final():
    script = Script("CUT")
    with (
        rest_server(script) as port,
        RankingClient(rest=f"http://127.0.0.1:{port}") as client,
        pytest.raises(Unavailable),
    ):
        client.status()
    assert script.calls == ["status"]


def test_a_pause_that_would_end_too_late_is_not_begun(connect, script, protocol):
    pauses = []
    patient = Retries(
        RetryPolicy(first_pause_s=100, max_pause_s=100),
        sleep=pauses.append,
        uniform=lambda low, high: high,
    )
    script.failures = [REFUSALS[protocol][0]] * 9
    with pytest.raises(Unavailable):
        connect(retries=patient).status(timeout_s=99)
    assert (script.calls, pauses) == (["status"], [])


def test_connections_are_used_again(connect, script):
    client = connect()
    for _ in range(5):
        client.predict({"x": [1.0]}, "doubled")
    assert script.calls == ["metadata"] + ["predict"] * 5
    assert len(script.connections) == 1


def test_a_version_or_a_label_is_chosen(connect, script, protocol):
    connect(version=7).status()
    connect(label="stable").status()
    if protocol == "grpc":
        assert script.specs == [(7, ""), (None, "stable")]
    else:
        assert script.specs == [
            "/v1/models/ranker/versions/7",
            "/v1/models/ranker/labels/stable",
        ]
    with pytest.raises(ValueError, match="not both"):
        connect(version=7, label="stable")


def test_a_changed_signature_is_noticed_and_the_call_made_again(connect, script):
    client = connect()
    client.predict({"x": [1.0]}, "doubled")
    script.dtype = "int64"
    answer = client.predict({"x": [3]}, "doubled")["y"]
    if answer.dtype != np.int64:  # JSON says 3.0 as well as 3, so nothing was wrong
        assert answer.tolist() == [6]
        return
    assert answer.tolist() == [6]
    assert script.calls == ["metadata", "predict", "predict", "metadata", "predict"]
    assert client.metadata().signatures["doubled"].inputs["x"].dtype.name == "int64"


def test_a_renamed_signature_is_found(connect, script):
    client = connect()
    client.metadata()
    definitions = script.definitions

    def renamed():
        changed = definitions()
        changed.signature_def["twice"].CopyFrom(changed.signature_def["doubled"])
        return changed

    script.definitions = renamed
    assert client.predict({"x": [3]}, "twice")["y"].tolist() == [6]


def test_wrong_inputs_cost_one_look_at_the_signature_and_no_second_call(
    connect, script
):
    client = connect()
    client.metadata()
    with pytest.raises(InvalidArgument, match="Sent extra"):
        client.predict({"x": [1], "z": [1]}, "doubled")
    assert script.calls == ["metadata", "metadata"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("server", "client"):
        issued = ca.issue_cert(f"{name}.example", "127.0.0.1")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    return folder


def secured(protocol, script, folder):
    """A server that knows its clients by certificate."""
    if protocol == "rest":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return rest_server(script, context)
    pair = (folder / "server.key").read_bytes(), (folder / "server.pem").read_bytes()
    credentials = grpc.ssl_server_credentials(
        [pair], (folder / "ca.pem").read_bytes(), require_client_auth=True
    )
    return grpc_server(script, credentials)


@pytest.mark.parametrize("server_name", [None, "server.example"])
def test_mutual_tls(protocol, script, certificates, server_name):
    known = TlsFiles(
        ca=certificates / "ca.pem",
        certificate=certificates / "client.pem",
        key=certificates / "client.key",
        server_name=server_name,
    )
    once = Retries(RetryPolicy(tries=1))
    with secured(protocol, script, certificates) as port:
        address = f"127.0.0.1:{port}"
        where = {protocol: address if protocol == "grpc" else f"https://{address}"}
        with RankingClient(**where, tls=known) as client:
            assert client.predict({"x": [4]}, "doubled")["y"].tolist() == [8]
        calls = len(script.calls)
        other = TlsFiles(ca=certificates / "ca.pem", server_name="else.example")
        for tls in (TlsFiles(ca=certificates / "ca.pem"), TlsFiles(), other):
            with (
                RankingClient(**where, tls=tls, retries=once) as client,
                pytest.raises(Unavailable),
            ):
                client.status(timeout_s=5)
        assert len(script.calls) == calls


def test_the_file_that_is_not_what_it_should_be_is_named(protocol, certificates):
    """The libraries say `Failed to create security handshaker`, or `PEM lib`."""
    where = {"grpc": {"grpc": "127.0.0.1:1"}, "rest": {"rest": "https://127.0.0.1:1"}}
    right = {
        "ca": certificates / "ca.pem",
        "certificate": certificates / "client.pem",
        "key": certificates / "client.key",
    }
    rubbish = certificates / "rubbish.pem"
    rubbish.write_text("rubbish")
    for name, path, words in (
        ("ca", rubbish, "rubbish.pem holds no certificates"),
        ("certificate", rubbish, "rubbish.pem and .*client.key are no"),
        ("key", rubbish, "client.pem and .*rubbish.pem are no"),
        ("key", certificates / "server.key", "client.pem and .*server.key are no"),
    ):
        with pytest.raises(ValueError, match=words):
            RankingClient(**where[protocol], tls=TlsFiles(**right | {name: path}))
    for name in right:
        away = certificates / "away.pem"
        with pytest.raises(FileNotFoundError, match=r"away\.pem"):
            RankingClient(**where[protocol], tls=TlsFiles(**right | {name: away}))


def test_tls_and_none_do_not_go_together(protocol, script, certificates):
    once = Retries(RetryPolicy(tries=1))
    tls = TlsFiles(ca=certificates / "ca.pem")
    plain = {"grpc": grpc_server, "rest": rest_server}[protocol](script)
    for server, scheme, files in (
        (secured(protocol, script, certificates), "http", None),
        (plain, "https", tls),
    ):
        with server as port:
            address = f"127.0.0.1:{port}"
            where = address if protocol == "grpc" else f"{scheme}://{address}"
            with (
                RankingClient(**{protocol: where}, tls=files, retries=once) as client,
                pytest.raises(Unavailable, match=address),
            ):
                client.status(timeout_s=5)
    assert not script.calls


def test_tls_without_its_other_half_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs both"):
        TlsFiles(certificate=tmp_path / "client.pem")
    with pytest.raises(ValueError, match="https://"):
        RankingClient(rest="http://127.0.0.1:1", tls=TlsFiles())
