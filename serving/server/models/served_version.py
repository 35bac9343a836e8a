"""One version of a served model: from its folder's first sight to its end."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from serving.server.models.saved_model import ModelVersion
from serving.server.models.version_folders import Fingerprint
from serving.server.models.version_policy import VersionSnapshot
from serving.server.models.version_state import StateName, VersionState

_SOUND = ("OK", "")


@dataclass(frozen=True)
class LoadRetries:
    """How often a version that does not load is tried again.

    The defaults are TensorFlow Serving's (`--max_num_load_retries`,
    `--load_retry_interval_micros`).

    Attributes:
        max_retries: Further attempts after the first one.
        interval_s: Seconds between two attempts.
    """

    max_retries: int = 5
    interval_s: float = 60.0


class ServedVersion:
    """What a model knows of one version folder; its model guards it by a lock.

    Args:
        number: The version's number.
        folder: The version's folder.
    """

    def __init__(self, number: int, folder: str):
        self.number = number
        self.folder = folder
        self.aspired = True
        self._state: StateName = "START"
        self._code, self._error = _SOUND
        self._loaded: ModelVersion | None = None
        self._leaving: weakref.ref[ModelVersion] | None = None
        self._seen: Fingerprint | None = None
        self._taken: Fingerprint | None = None
        self._settled = False
        self._attempts = 0
        self._retry_at = 0.0

    @property
    def state(self) -> VersionState:
        """The state, as it is reported."""
        name = "END" if self.released else self._state
        return VersionState(self.number, name, self._code, self._error)

    @property
    def released(self) -> bool:
        """Whether it was unloaded and no request holds it any more."""
        return self._leaving is not None and self._leaving() is None

    @property
    def snapshot(self) -> VersionSnapshot:
        """What decides about its next step."""
        step: Literal["new", "ready", "idle"] = "idle"
        if self._state == "AVAILABLE":
            step = "ready"
        elif self._state == "START" and self._settled:
            step = "new"
        return VersionSnapshot(self.number, self.folder, self.aspired, step)

    @property
    def is_over(self) -> bool:
        """Whether its folder, if it is aspired to again, is loaded as a new version."""
        return self._state in ("UNLOADING", "END") and not self._error

    @property
    def waits(self) -> bool:
        """Whether a changed folder may start a load: not loaded yet, or it failed."""
        return self._state == "START" or (self._state == "END" and not self.is_over)

    @property
    def serving(self) -> bool:
        """Whether it answers requests."""
        return self._state == "AVAILABLE"

    def was_rewritten(self, files: Fingerprint) -> bool:
        """Whether the folder of a served version has come to hold other files.

        True once for each change, when two looks find the same files; also for files
        that changed while they were loaded.
        """
        settled = files == self._seen
        self._seen = files
        if not settled or files == self._taken:
            return False
        self._taken = files
        return True

    def look(
        self,
        files: Fingerprint,
        now_s: float,
        retries: LoadRetries,
        wait_until_settled: bool,
    ) -> None:
        """Decides whether a version that waits can be loaded.

        A folder that is still written is left alone until two looks find the same
        files. A version that did not load gets another attempt when its folder has
        changed, or after a while.
        """
        unchanged = files == self._seen
        self._seen = files
        if self._state == "START":
            self._settled = unchanged or not wait_until_settled
        elif not unchanged:
            self._state, self._attempts = "START", 0
            self._settled = not wait_until_settled
        elif self._attempts <= retries.max_retries and now_s >= self._retry_at:
            self._state, self._settled = "START", True

    def begin_loading(self) -> None:
        """It is loaded from now on."""
        self._state = "LOADING"

    def succeed(self, version: ModelVersion) -> None:
        """It is served from now on."""
        self._state, self._loaded = "AVAILABLE", version
        self._taken = self._seen
        self._code, self._error = _SOUND

    def fail(self, code: str, error: str, retry_at_s: float) -> None:
        """It did not load."""
        self._state, self._code, self._error = "END", code, error
        self._attempts += 1
        self._retry_at = retry_at_s

    def begin_unloading(self, on_released: Callable[[], object]) -> None:
        """It takes no more requests; `on_released` is called after the last one.

        The call may come from any thread at any time, even within a lock.
        """
        if self._loaded is None:
            raise RuntimeError(f"version {self.number} is not loaded")
        self._state = "UNLOADING"
        finalizer = weakref.finalize(self._loaded, on_released)
        finalizer.atexit = False
        self._leaving = weakref.ref(self._loaded)
        self._loaded = None

    def end(self) -> bool:
        """Notes that the last request let go; whether that is news."""
        news = self._state == "UNLOADING" and self.released
        if news:
            self._state = "END"
        return news

    def serves(self, version: ModelVersion | None) -> bool:
        """Whether this is the loaded version itself."""
        return version is not None and self._loaded is version
