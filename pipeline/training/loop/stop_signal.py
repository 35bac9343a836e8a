"""SIGTERM, Ctrl-C and a closed terminal while training: save first, then leave."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from pipeline.progress import report_progress

RESUME = "run the same command again to resume from the last checkpoint"
_ONE_WISH_S = 2.0


class StopSignal:
    """Notes that the process was asked to end, so that the loop can save before.

    As a context it takes the signals over, in the main thread: elsewhere Python gives
    none away, and the process ends as it did before. A second signal ends it at once,
    but not within two seconds: whoever stops a group of processes signals each of them,
    and so does the process that started them.

    Args:
        clock: Seconds, for the tests.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.received: int | None = None
        self._received_at = 0.0
        self._clock = clock
        self._at_once = True
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                if number == signal.SIGHUP and _is_ignored(number):
                    continue  # by nohup: the closed terminal is to stop nothing
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
        report_progress(f"stopped: {RESUME}")
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + (self.received or signal.SIGTERM))

    def _note(self, number: int, _: FrameType | None) -> None:
        now = self._clock()
        if self.received is None:
            self.received, self._received_at = number, now
            if self._at_once:
                self.leave()
        elif now - self._received_at >= _ONE_WISH_S:
            self._give_back()
            signal.raise_signal(number)

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN
