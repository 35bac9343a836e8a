"""`poso serve` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_START_S = 120.0


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        grpc_port: Where it listens.
        rest_port: Likewise.
        process: Its process.
    """

    grpc_port: int
    rest_port: int
    process: psutil.Process

    def resident_bytes(self) -> int:
        """Memory that the process holds."""
        return int(self.process.memory_info().rss)

    def version_states(self) -> dict[int, str]:
        """State of each version."""
        url = f"http://127.0.0.1:{self.rest_port}/v1/models/ranker"
        with urllib.request.urlopen(url, timeout=30) as response:
            states: list[dict[str, Any]] = json.load(response)["model_version_status"]
        return {int(state["version"]): str(state["state"]) for state in states}


@contextlib.contextmanager
def running_server(model_dir: Path, batching: str = "") -> Iterator[Server]:
    """Starts `poso serve` on free ports, and ends it.

    Args:
        model_dir: Folder of version folders.
        batching: Batching parameters in text format; empty for no batching.

    Raises:
        RuntimeError: If it does not start; with what it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cli", "serve", "--model", str(model_dir)]
        command += ["--grpc-port", "0", "--rest-port", "0"]
        if batching:
            file = Path(folder) / "batching.config"
            file.write_text(batching, encoding="utf-8")
            command += ["--batching-parameters-file", str(file)]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            ports = _ports(process, log)
            yield Server(*ports, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait()


def _ports(process: subprocess.Popen[bytes], log: Path) -> tuple[int, int]:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"gRPC port (\d+), REST port (\d+)", log.read_text())
        if found:
            return int(found[1]), int(found[2])
        time.sleep(0.1)
    raise RuntimeError(f"poso serve did not start: {log.read_text()}")
