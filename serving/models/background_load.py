"""Loading a model in Python beside requests that are being answered.

TensorFlow's loader runs Python code for a second or two and makes some 50,000 objects.
Meanwhile each request waits for the interpreter, and Python's collector stops all
threads each time it looks through old objects.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH_INTERVAL_S = 0.0005
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def beside_requests() -> Iterator[None]:
    """Lets other threads have the interpreter sooner, and postpones collections.

    For the whole process, and so for one thread at a time; others wait.
    """
    with _ONE_AT_A_TIME:
        interval_s, collects = sys.getswitchinterval(), gc.isenabled()
        sys.setswitchinterval(min(interval_s, _SWITCH_INTERVAL_S))
        gc.disable()
        try:
            yield
        finally:
            sys.setswitchinterval(interval_s)
            if collects:
                gc.enable()


def exempt_from_collection() -> None:
    """Spares what lives now, TensorFlow above all, every later collection.

    For a process that serves and does nothing else: what is garbage later on, but alive
    now, would never be collected where it refers to itself.
    """
    gc.collect()
    gc.freeze()
