"""A real S3 server on loopback: moto's, from an environment of its own."""

import os
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.helpers.waiting import wait_until

BUCKET = "bucket"
COMMAND = Path(__file__).parents[2] / ".venv-s3" / "bin" / "moto_server"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def s3_server(refusing: bool = False) -> Iterator[str]:
    """Runs the server with an empty bucket; yields its address.

    Args:
        refusing: Whether it then knows nobody's keys, and lets nobody in without.

    Skips the test where `make test-s3` has not installed it.
    """
    command = shutil.which("moto_server", path=str(COMMAND.parent))
    if command is None:
        pytest.skip("no S3 server: make test-s3 installs one")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    arguments = [command, "-H", "127.0.0.1", "-p", str(port)]
    limit = {"INITIAL_NO_AUTH_ACTION_COUNT": "1"} if refusing else {}
    with subprocess.Popen(
        arguments, stderr=subprocess.DEVNULL, env={**os.environ, **limit}
    ) as server:
        try:
            _make_bucket(address)
            yield address
        finally:
            server.terminate()


@contextmanager
def closed_server() -> Iterator[str]:
    """A server that answers as Amazon's does whom it does not know: 403, no body.

    Moto's answers requests without a signature by an error of its own (500).
    """

    class Refuse(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = _refuse

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def environment_of(address: str) -> dict[str, str]:
    """What a process needs in its environment to use the server."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def use(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    """Points this process at the server; returns the bucket's URI."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "S3_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment_of(address).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return f"s3://{BUCKET}"


def _make_bucket(address: str) -> None:
    request = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")

    def made() -> bool:
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.URLError:
            return False
        return True

    wait_until(made)
