"""Loading a version and warming it up, beside requests that are being answered."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from serving.server.metrics import ServingMetrics
from serving.server.models.saved_model import ModelVersion, load_version
from serving.server.models.served_model import VersionLoader
from serving.server.models.version_files import check_version_files
from serving.server.models.warmup_replay import replay_warmup_requests

_LOG = logging.getLogger(__name__)
_SWITCH_INTERVAL_S = 0.0005
_BETWEEN_ANSWERS_S = 0.0001
_ONE_AT_A_TIME = threading.Lock()


def load_and_warm_up(model: str, number: int, folder: str) -> ModelVersion:
    """A version that is ready to answer.

    Args:
        model: The model's name, for the log.
        number: The version's number.
        folder: The version's folder.

    Raises:
        ModelLoadError: If it is not whole, does not load, or a warm-up request fails.
    """
    check_version_files(folder)
    _LOG.info("%s: loading version %d of %s", model, number, folder)
    started = time.monotonic()
    with beside_requests():
        version = load_version(folder, number)
    loaded = time.monotonic()
    _LOG.info("%s: loaded version %d in %.1f s", model, number, loaded - started)
    with beside_requests():
        requests = replay_warmup_requests(folder, version)
    if requests:
        _LOG.info(
            "%s: warmed up version %d with %d requests in %.1f s",
            model,
            number,
            requests,
            time.monotonic() - loaded,
        )
    else:
        _LOG.info("%s: version %d has no warm-up requests", model, number)
    return version


def counted_loader(load: VersionLoader, metrics: ServingMetrics) -> VersionLoader:
    """The same loader, whose attempts are counted and timed, including the warm-up.

    Args:
        load: Loads and warms up a version.
        metrics: Where attempts are counted.
    """

    def load_and_count(model: str, number: int, folder: str) -> ModelVersion:
        started = time.monotonic()
        loaded = False
        try:
            version = load(model, number, folder)
            loaded = True
        finally:
            metrics.record_load(folder, loaded, time.monotonic() - started)
        return version

    return load_and_count


@contextmanager
def beside_requests() -> Iterator[None]:
    """Lets other threads have the interpreter sooner, and postpones collections.

    TensorFlow's loader runs Python code for a second or two and makes some 50,000
    objects. Meanwhile each request waits for the interpreter, and Python's collector
    stops all threads each time it looks through old objects.

    This holds for the whole process, and so for one thread at a time; others wait.
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
