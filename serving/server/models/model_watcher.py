"""The background thread that keeps a store up to date with the file system."""

from __future__ import annotations

import gc
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from serving.protocol.errors import ServingError
from serving.server.models.model_config import read_model_configs
from serving.server.models.model_store import ModelStore
from serving.server.settings.text_config import ServerConfigError

_LOG = logging.getLogger(__name__)
_STOP = ""


class ModelWatcher:
    """Polls for new versions and configurations, and ends what was unloaded.

    Args:
        store: Whose models to keep up to date.
        poll_s: Seconds between two looks for versions; 0 never looks again, as
            TensorFlow Serving's `--file_system_poll_wait_seconds`.
        config_file: The `models.config` that the store was made of.
        config_poll_s: Seconds between two readings of `config_file`; 0 never reads it
            again, as TensorFlow Serving's `--model_config_file_poll_wait_seconds`.

    Raises:
        ValueError: If a time is negative.
    """

    def __init__(
        self,
        store: ModelStore,
        poll_s: float = 1.0,
        config_file: str | Path | None = None,
        config_poll_s: float = 0.0,
    ):
        for name, value in (("poll_s", poll_s), ("config_poll_s", config_poll_s)):
            if value < 0:
                raise ValueError(f"{name} must be at least 0, received {value}")
        self._store = store
        self._config_file = config_file
        self._config_problem = ""
        self._tasks = [_Periodic(store.poll, poll_s)]
        if config_file is not None:
            self._tasks.append(_Periodic(self._read_config, config_poll_s))
        self._thread = threading.Thread(
            target=self._run, name="model-watcher", daemon=True
        )

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a version that is being loaded is finished first."""
        self._store.releases.put(_STOP)
        self._thread.join()

    def _run(self) -> None:
        while self._wait() != _STOP:
            for task in self._tasks:
                task.run_if_due()
            if self._store.note_released():
                # TensorFlow's objects refer to each other in cycles; without this, a
                # model's memory would stay until Python next looks at old objects.
                gc.collect()

    def _wait(self) -> str | None:
        """Until a task is due (None), a version was released, or it is to stop."""
        wait_s = min(task.due_s for task in self._tasks) - time.monotonic()
        timeout_s = None if math.isinf(wait_s) else max(wait_s, 0.0)
        try:
            return self._store.releases.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _read_config(self) -> None:
        """Applies the file; what was served stays while the file is not sound."""
        if self._config_file is None:
            return
        problem = ""
        try:
            models = read_model_configs(self._config_file)
            if models != self._store.configs:
                self._store.reload(models)
        except (ServerConfigError, ServingError) as error:
            problem = str(error)
        if problem and problem != self._config_problem:
            _LOG.error("%s is not applied: %s", self._config_file, problem)
        self._config_problem = problem


class _Periodic:
    """A task and when it is due next; a failure is logged and does not end it."""

    def __init__(self, run: Callable[[], None], interval_s: float):
        self._run = run
        self._interval_s = interval_s or math.inf
        self.due_s = time.monotonic() + self._interval_s

    def run_if_due(self) -> None:
        if time.monotonic() < self.due_s:
            return
        try:
            self._run()
        except Exception:
            _LOG.exception("the model watcher failed; it continues")
        self.due_s = time.monotonic() + self._interval_s
