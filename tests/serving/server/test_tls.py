"""TLS and mutual TLS of both ports, with certificates made for the test."""

import json
import ssl
import urllib.error
import urllib.request

import grpc
import pytest
import trustme
from google.protobuf import text_format
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from serving.server.settings.text_config import ServerConfigError
from serving.server.settings.tls_config import TlsConfig, read_tls_config

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def stranger():
    """An authority that nobody trusts."""
    return trustme.CA()


@pytest.fixture(scope="module")
def config_file(authority, tmp_path_factory):
    """Writes TensorFlow Serving's SSLConfig: PEM texts within a text message."""
    certificate = authority.issue_cert("localhost", "127.0.0.1")

    def write(client_verify: bool):
        fields = {
            "server_key": certificate.private_key_pem.bytes(),
            "server_cert": b"".join(p.bytes() for p in certificate.cert_chain_pems),
            "custom_ca": authority.cert_pem.bytes(),
        }
        lines = [
            f'{name}: "{text_format.text_encoding.CEscape(value, as_utf8=False)}"'
            for name, value in fields.items()
        ]
        path = tmp_path_factory.mktemp("tls") / "ssl.config"
        lines.append(f"client_verify: {str(client_verify).lower()}")
        path.write_text("\n".join(lines))
        return path

    return write


@pytest.fixture(scope="module")
def running(model_dir, config_file):
    """A server of each kind, by whether it asks for clients' certificates."""
    servers = {
        client_verify: EmbeddedServer(
            model_dir,
            ServerOptions(
                grpc_port=0,
                rest_port=0,
                num_versions=1,
                tls=read_tls_config(config_file(client_verify)),
            ),
        ).start()
        for client_verify in (False, True)
    }
    yield servers
    for server in servers.values():
        server.stop()


def ask_grpc(server, authority=None, identity=None):
    """Whether a client that trusts an authority, as somebody, is answered."""
    credentials = grpc.ssl_channel_credentials(
        authority and authority.cert_pem.bytes(),
        identity and identity.private_key_pem.bytes(),
        identity and b"".join(p.bytes() for p in identity.cert_chain_pems),
    )
    request = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "ranker"})
    with grpc.secure_channel(f"127.0.0.1:{server.grpc_port}", credentials) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        try:
            stub.GetModelStatus(request, timeout=10)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
    return True


def ask_rest(server, authority=None, identity=None):
    context = ssl.create_default_context()
    if authority:
        authority.configure_trust(context)
    if identity:
        identity.configure_cert(context)
    url = f"https://127.0.0.1:{server.rest_port}/v1/models/ranker"
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as response:
            return "model_version_status" in json.loads(response.read())
    except (urllib.error.URLError, ssl.SSLError, ConnectionError):
        return False


@pytest.mark.parametrize("ask", [ask_grpc, ask_rest])
class TestClients:
    def test_one_that_trusts_the_server(self, running, authority, ask):
        assert ask(running[False], authority)

    def test_one_that_trusts_another_authority(self, running, stranger, ask):
        assert not ask(running[False], stranger)
        assert not ask(running[False])

    def test_one_with_a_certificate(self, running, authority, ask):
        identity = authority.issue_cert("client")
        assert ask(running[True], authority, identity)

    def test_one_without(self, running, authority, ask):
        assert not ask(running[True], authority)

    def test_one_with_a_stranger_s(self, running, authority, stranger, ask):
        assert not ask(running[True], authority, stranger.issue_cert("client"))


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_plain_text_is_not_answered(running, protocol):
    server = running[False]
    if protocol == "grpc":
        request = get_model_status_pb2.GetModelStatusRequest()
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            with pytest.raises(grpc.RpcError) as raised:
                stub.GetModelStatus(request, timeout=10)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    else:
        url = f"http://127.0.0.1:{server.rest_port}/v1/models/ranker"
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            urllib.request.urlopen(url, timeout=10)


def pair(authority):
    certificate = authority.issue_cert("localhost")
    key = certificate.private_key_pem.bytes().decode()
    return key, certificate.cert_chain_pems[0].bytes().decode()


def test_a_key_is_not_shown(authority):
    key, certificate = pair(authority)
    assert "PRIVATE" not in repr(TlsConfig(key, certificate))


def test_what_is_no_configuration(authority, tmp_path):
    key, certificate = pair(authority)
    other_key, _ = pair(authority)
    for fields, words in [
        ((other_key, certificate), "private key and its certificate"),
        (("nonsense", certificate), "PEM"),
        ((key, ""), "PEM"),
        ((key, certificate, "", True), "client_verify needs custom_ca"),
        ((key, certificate, "nonsense", True), "PEM"),
    ]:
        with pytest.raises(ServerConfigError, match=words):
            TlsConfig(*fields)
    path = tmp_path / "ssl.config"
    path.write_text("server_kee: 'x'")
    with pytest.raises(ServerConfigError, match="server_kee"):
        read_tls_config(path)
    with pytest.raises(ServerConfigError, match="nowhere"):
        read_tls_config(tmp_path / "nowhere")
