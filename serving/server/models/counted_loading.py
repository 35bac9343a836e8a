"""Counts attempts to load a version."""

from __future__ import annotations

import time

from serving.server.metrics import ServingMetrics
from serving.server.models.saved_model import ModelVersion
from serving.server.models.served_model import VersionLoader


def counted_loader(load: VersionLoader, metrics: ServingMetrics) -> VersionLoader:
    """The same loader, whose attempts are counted and timed, warm-up and all.

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
