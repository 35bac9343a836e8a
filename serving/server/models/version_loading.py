"""Loading a version and warming it up, with a log line for each."""

from __future__ import annotations

import logging
import time

from serving.server.models.background_load import beside_requests
from serving.server.models.saved_model import ModelVersion, load_version
from serving.server.models.warmup_replay import replay_warmup_requests

_LOG = logging.getLogger(__name__)


def load_and_warm_up(model: str, number: int, folder: str) -> ModelVersion:
    """A version that is ready to answer.

    Args:
        model: The model's name, for the log.
        number: The version's number.
        folder: The version's folder.

    Raises:
        ModelLoadError: If it does not load, or a warm-up request fails.
    """
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
