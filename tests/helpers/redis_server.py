"""A real Redis server of the tests' own, where its program is installed."""

import shutil
import socket
import subprocess
from contextlib import contextmanager

import pytest

PROGRAM = shutil.which("redis-server")
needs_redis = [
    pytest.mark.e2e,
    pytest.mark.redis,
    pytest.mark.skipif(
        PROGRAM is None, reason="redis-server is not installed (apt-get install it)"
    ),
]


@contextmanager
def running_redis(folder):
    """Yields a URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    options += ["--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [PROGRAM, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        else:
            raise RuntimeError("redis-server did not start")
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
