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
_BETWEEN_ANSWERS_S = 0.0001
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


def dedicate_process() -> None:
    """Sets this process up to serve and do nothing else.

    What lives now, TensorFlow above all, is spared every later collection; if it is
    garbage later on and refers to itself, it is never freed. A thread that waits for
    the interpreter gets it after a tenth of a millisecond, not after five, which would
    be several answers' time.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_BETWEEN_ANSWERS_S)
