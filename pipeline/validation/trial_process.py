"""Starts the server of a trial as a process whose end harms nobody else."""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.module_process import module_command

_LAST_LINES = 5
_STOP_S = 20.0


class TrialError(Exception):
    """The model cannot be served, or is not served as it should be."""


@dataclass(frozen=True)
class TrialServer:
    """Where a running server listens.

    Attributes:
        grpc: `host:port`.
        rest: `http://host:port`.
    """

    grpc: str
    rest: str


@contextmanager
def trial_process(
    model_dir: str, model_name: str, start_timeout_s: float
) -> Iterator[PendingServer]:
    """Serves one SavedModel from another process for the time of the block.

    Args:
        model_dir: The SavedModel, on a local disk.
        model_name: The name to serve it under.
        start_timeout_s: How long it may take until it is ready.
    """
    with tempfile.TemporaryDirectory() as folder:
        versions = Path(folder, "versions")
        versions.mkdir()
        (versions / "1").symlink_to(Path(model_dir).resolve())
        log = Path(folder, "log")
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [
                    *module_command("serving.server.trial_server"),
                    str(versions),
                    model_name,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            yield PendingServer(process, log, start_timeout_s)
        finally:
            _stop(process)


@dataclass(frozen=True)
class PendingServer:
    """A server that has been started; `ready` waits for it.

    Attributes:
        process: The server's process.
        log: What it and its libraries have to say.
        start_timeout_s: How long it may take until it is ready.
    """

    process: subprocess.Popen[str]
    log: Path
    start_timeout_s: float

    def ready(self) -> TrialServer:
        """Waits until the model is loaded and warmed up.

        Raises:
            TrialError: If the process ends, or takes too long; with its last words.
        """
        output = self.process.stdout
        if output is None:
            raise ValueError("the process must have its output piped")
        readable, _, _ = select.select([output], [], [], self.start_timeout_s)
        line = output.readline() if readable else ""
        if not line:
            reason = (
                f"ended with code {self.process.wait(_STOP_S)}"
                if readable
                else f"was not ready after {self.start_timeout_s:g} s"
            )
            raise TrialError(f"the server {reason}: {self.last_words()}")
        ports = json.loads(line)
        return TrialServer(
            grpc=f"127.0.0.1:{ports['grpc_port']}",
            rest=f"http://127.0.0.1:{ports['rest_port']}",
        )

    def last_words(self) -> str:
        """The last lines that the process wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [line for line in lines if line.strip()]
        return "\n".join(said[-_LAST_LINES:]) or "it said nothing"


def _stop(process: subprocess.Popen[str]) -> None:
    """Closes its input, which ends it; kills it if that does not."""
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
