"""SIGTERM and Ctrl-C while training: save first, then leave."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from pipeline.progress import report_progress


class StopSignal:
    """Notes that the process was asked to end, so that the loop can save before.

    As a context it takes the signals over, in the main thread: elsewhere Python gives
    none away, and the process ends as it did before. A second signal ends it at once.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self.received: int | None = None
        self._at_once = True
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """While the loop runs: it looks at `received` itself, and saves."""
        self._at_once = False
        try:
            yield
        finally:
            self._at_once = True

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Where all is saved: there is nothing to wait for."""
        self._at_once = True
        if self.received is not None:
            self.leave()
        yield
        self._at_once = False

    def leave(self) -> NoReturn:
        """Ends the process as the signal asks.

        Raises:
            SystemExit: 128 and the number of the signal, as a shell has it.
            KeyboardInterrupt: It was Ctrl-C.
        """
        report_progress("stopped: the same command goes on from the last checkpoint")
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + (self.received or signal.SIGTERM))

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received = number
        self._give_back()
        if self._at_once:
            self.leave()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
