"""`poso run` in processes of their own, one at a time, which signals to us reach."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

from pipeline.module_process import module_command


class ChildRuns:
    """Runs `poso run`; as a context it passes signals on and waits for what they do.

    A training saves when it is asked to end, which takes a while; so a process that
    went at once would leave it behind, and one that killed it would lose the training.
    A terminal signals both processes, so that a run may be signalled twice, which it
    expects (`StopSignal`).

    Args:
        command: What runs, before the options.

    Attributes:
        received: The signal that asked this process to end; None if none has.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def __init__(self, command: Sequence[str] | None = None):
        self.received: int | None = None
        self._command = (
            [*module_command("cli"), "run"] if command is None else [*command]
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> ChildRuns:
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                    self._before[number] = signal.signal(number, self._pass_on)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self, options: Sequence[str]) -> int:
        """Runs with some options; the exit status, negative a signal's number."""
        if self.received is not None:  # between two runs
            return 128 + self.received
        self._process = subprocess.Popen([*self._command, *options])
        if self.received is not None:  # while it was started
            self._process.send_signal(self.received)
        return self._process.wait()

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self.received = number
        if self._process is not None:
            self._process.send_signal(number)
