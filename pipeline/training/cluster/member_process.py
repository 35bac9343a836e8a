"""A member of the cluster as a process that this one started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import IO

from pipeline.module_process import module_command
from pipeline.progress import report_progress
from pipeline.training.cluster.membership import Member


class MemberError(RuntimeError):
    """A process of the cluster has ended that should not have."""


class MemberProcess:
    """Starts a member; what it writes goes on to this process's standard error.

    The chief's progress is also this process's. A member is in a session of its own:
    Ctrl-C reaches this process alone, which then asks the others to end. It ends with
    its standard input, and so with this process.

    Args:
        member: Which.
        job: The file of what it trains; parameter servers and theirs need none.
        environment: What its environment has beside this process's.
    """

    def __init__(
        self,
        member: Member,
        job: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
    ):
        self.member = member
        self._last = ""
        self._process = subprocess.Popen(
            [*module_command("pipeline.training.member"), job],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment, "TF_CONFIG": member.tf_config},
            text=True,
            errors="replace",
            start_new_session=True,
        )
        said = self._report if member.is_chief else self._note
        self._readers = [
            threading.Thread(target=_read, args=(pipe, to), daemon=True)
            for pipe, to in (
                (self._process.stdout, said),
                (self._process.stderr, self._note),
            )
        ]
        for reader in self._readers:
            reader.start()

    @property
    def ended(self) -> int | None:
        """Its exit code, negative a signal's number; None while it runs."""
        return self._process.poll()

    @property
    def ended_by_signal(self) -> int | None:
        """The signal that ended it, also if it saved before; None for another end."""
        code = self._process.returncode or 0
        if code < 0:
            return -code
        # As a shell has it, and StopSignal.
        return code - 128 if code - 128 in signal.valid_signals() else None

    def how_it_ended(self) -> str:
        """One line on its end, with the last that it wrote if it failed."""
        for reader in self._readers:
            reader.join(timeout=1)
        code = self._process.returncode
        if self.ended_by_signal is not None:
            how = "killed" if code < 0 else "stopped"
            return f"{self.member} was {how} by signal {self.ended_by_signal}"
        words = f": {self._last}" if code and self._last else ""
        return f"{self.member} ended with code {code}{words}"

    def ask_to_end(self) -> None:
        """Asks it to save what it has to, and to end."""
        if self.ended is not None:
            return
        if self.member.serves:  # it takes no signals
            self._close(self._process.stdin)
        else:
            self._process.terminate()

    def wait(self, timeout_s: float) -> None:
        """Waits for its end, for a while."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    def end(self, timeout_s: float) -> None:
        """Waits for its end, for a while; then brings it about."""
        self.wait(timeout_s)
        if self.ended is None:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(timeout=1)
        for pipe in (
            self._process.stdin,
            self._process.stdout,
            self._process.stderr,
        ):
            self._close(pipe)

    @staticmethod
    def _close(pipe: IO[str] | None) -> None:
        if pipe is not None:
            pipe.close()

    def _report(self, line: str) -> None:
        report_progress(line)

    def _note(self, line: str) -> None:
        if line.strip():
            self._last = line
        sys.stderr.write(f"{self.member}: {line}\n")


def _read(pipe: IO[str] | None, to: Callable[[str], None]) -> None:
    if pipe is not None:
        for line in pipe:
            to(line.rstrip("\n"))
