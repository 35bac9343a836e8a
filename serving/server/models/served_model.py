"""One served model: its versions, and how they come and go without a gap."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType

from serving.server.models.model_config import ModelConfig
from serving.server.models.saved_model import ModelLoadError, ModelVersion
from serving.server.models.served_version import LoadRetries, ServedVersion
from serving.server.models.version_folders import (
    Fingerprint,
    fingerprint,
    version_folders,
    why_no_version,
)
from serving.server.models.version_policy import VersionAction, next_action
from serving.server.models.version_state import VersionState

_LOG = logging.getLogger(__name__)
_ENDED_VERSIONS_KEPT = 100

# Model name, version number and folder to the loaded version.
VersionLoader = Callable[[str, int, str], ModelVersion]


class ServedModel:
    """Keeps loaded what a model's configuration asks for.

    One thread at a time may call `configure` and `reconcile`; `available` and `states`
    are for every thread.

    Args:
        name: The model's name.
        load: Loads and warms up a version; raises `ModelLoadError`.
        retries: How often a version that does not load is tried again.
        clock: Seconds that only grow.
        on_released: Called when an unloaded version's last request let go, from any
            thread.
    """

    def __init__(
        self,
        name: str,
        load: VersionLoader,
        retries: LoadRetries,
        clock: Callable[[], float],
        on_released: Callable[[], object],
    ):
        self.name = name
        self._load_version = load
        self._retries = retries
        self._clock = clock
        self._on_released = on_released
        self._config: ModelConfig | None = None
        self._versions: dict[str, ServedVersion] = {}
        self._lock = threading.Lock()
        self._available: Mapping[int, ModelVersion] = MappingProxyType({})
        self._problem = ""
        self._replaced: list[weakref.ref[ModelVersion]] = []

    @property
    def available(self) -> Mapping[int, ModelVersion]:
        """The versions that answer requests, by number; never changed in place."""
        return self._available

    @property
    def config(self) -> ModelConfig | None:
        """What is to be served; None for a model that was removed."""
        return self._config

    def states(self) -> list[VersionState]:
        """State of each version ever seen, newest first; of the ended ones the last."""
        by_number: dict[int, VersionState] = {}
        with self._lock:
            for version in self._versions.values():
                state = version.state
                known = by_number.get(state.number)
                # A folder that takes another's place has the same number for a while.
                if known is None or known.state != "AVAILABLE":
                    by_number[state.number] = state
        return sorted(by_number.values(), key=lambda state: -state.number)

    def problem(self) -> str:
        """Why no version answers requests; empty if one does."""
        if self._available or self._config is None:
            return ""
        errors = [state.error for state in self.states() if state.error]
        if errors:
            reasons = "; ".join(errors)
            return f"{self._config.base_path} has no version that loads: {reasons}"
        return self._problem or why_no_version(self._config.base_path)

    def configure(self, config: ModelConfig | None) -> None:
        """Sets what is to be served; None unloads every version."""
        self._config = config

    def reconcile(self, wait_until_settled: bool) -> None:
        """Loads and unloads until what is served is what is aspired to.

        Args:
            wait_until_settled: Whether a new folder must hold the same files as when
                it was looked at before: it may still be written.
        """
        self._find_versions()
        self._look_at_waiting(wait_until_settled)
        self._look_at_served()
        while (action := self._next_action()) is not None:
            version = self._versions[action.version.folder]
            if action.action == "load":
                self._load(version)
            else:
                self._unload(version)
        self._forget_ended()

    def note_released(self) -> int:
        """Ends the unloaded versions that no request holds.

        Returns:
            How many there were, and of those that were replaced in place.
        """
        with self._lock:
            ended = [version for version in self._versions.values() if version.end()]
            held = [earlier for earlier in self._replaced if earlier() is not None]
            released = len(ended) + len(self._replaced) - len(held)
            self._replaced = held
        for version in ended:
            _LOG.info("%s: unloaded version %d", self.name, version.number)
        return released

    def _find_versions(self) -> None:
        aspired = self._aspired_folders()
        if aspired is None:
            return
        with self._lock:
            for version in self._versions.values():
                version.aspired = version.folder in aspired
            for folder, number in aspired.items():
                known = self._versions.get(folder)
                if known is None or known.is_over:
                    self._versions[folder] = ServedVersion(number, folder)

    def _aspired_folders(self) -> dict[str, int] | None:
        """Numbers by folder; None if the file system does not tell for now."""
        if self._config is None:
            return {}
        try:
            found = version_folders(self._config.base_path)
        except OSError as error:
            self._note_problem(why_no_version(self._config.base_path), error)
            return None
        aspired = self._config.version_policy.aspired(found)
        if aspired:
            self._problem = ""
        elif found:
            self._note_problem(
                f"{self._config.base_path} has versions "
                f"{', '.join(map(str, sorted(found)))}, but none that is asked for: "
                f"{self._config.version_policy}"
            )
        else:
            self._note_problem(why_no_version(self._config.base_path))
        return {found[number]: number for number in aspired}

    def _note_problem(self, problem: str, error: OSError | None = None) -> None:
        if problem != self._problem:
            _LOG.warning("%s: %s%s", self.name, problem, f": {error}" if error else "")
        self._problem = problem

    def _look_at_waiting(self, wait_until_settled: bool) -> None:
        for version in list(self._versions.values()):
            if not (version.aspired and version.waits):
                continue
            files = self._files(version)
            if files is None:
                continue
            with self._lock:
                now_s = self._clock()
                version.look(files, now_s, self._retries, wait_until_settled)

    def _look_at_served(self) -> None:
        """Loads a served version anew, if its files were replaced and load.

        Else what was loaded stays: it does not depend on its folder.
        """
        for version in list(self._versions.values()):
            if not (version.aspired and version.serving):
                continue
            files = self._files(version)
            if files is None:
                continue
            with self._lock:
                rewritten = version.was_rewritten(files)
            if rewritten:
                self._load_again(version)

    def _files(self, version: ServedVersion) -> Fingerprint | None:
        """What its folder holds; None while that changes."""
        try:
            return fingerprint(version.folder)
        except OSError as error:
            _LOG.info("%s: %s changes: %s", self.name, version.folder, error)
            return None

    def _next_action(self) -> VersionAction | None:
        return next_action(version.snapshot for version in self._versions.values())

    def _load(self, version: ServedVersion) -> None:
        with self._lock:
            version.begin_loading()
        try:
            loaded = self._loaded(version)
        except ModelLoadError as error:
            self._fail(version, error)
        else:
            with self._lock:
                version.succeed(loaded)
                self._publish({**self._available, version.number: loaded})
            _LOG.info("%s: version %d is available", self.name, version.number)

    def _load_again(self, version: ServedVersion) -> None:
        about = (self.name, version.number)
        _LOG.warning("%s: the files of version %d were replaced", *about)
        try:
            loaded = self._loaded(version)
        except ModelLoadError as error:
            message = str(error)
            _LOG.error("%s: version %d stays as it was loaded: %s", *about, message)
            return
        with self._lock:
            earlier = self._available[version.number]
            # The last request that holds it may end at any time, in any thread.
            weakref.finalize(earlier, self._on_released).atexit = False
            self._replaced.append(weakref.ref(earlier))
            version.succeed(loaded)
            self._publish({**self._available, version.number: loaded})
        _LOG.info("%s: version %d is available as its files are now", *about)

    def _loaded(self, version: ServedVersion) -> ModelVersion:
        try:
            return self._load_version(self.name, version.number, version.folder)
        except ModelLoadError:
            raise
        except Exception as error:
            # Whatever a strange file makes TensorFlow raise: others keep serving.
            _LOG.exception("%s: version %d", self.name, version.number)
            message = f"cannot load {version.folder}: {type(error).__name__}: {error}"
            raise ModelLoadError(message, "INTERNAL") from None

    def _fail(self, version: ServedVersion, error: ModelLoadError) -> None:
        # Log handlers may keep what they are given: the message, not the exception.
        message = str(error)
        _LOG.error(
            "%s: version %d is not served: %s", self.name, version.number, message
        )
        with self._lock:
            retry_at_s = self._clock() + self._retries.interval_s
            version.fail(error.code, message, retry_at_s)

    def _unload(self, version: ServedVersion) -> None:
        _LOG.info("%s: unloading version %d", self.name, version.number)
        with self._lock:
            kept = {
                number: loaded
                for number, loaded in self._available.items()
                if not version.serves(loaded)
            }
            self._publish(kept)
            version.begin_unloading(self._on_released)

    def _publish(self, available: dict[int, ModelVersion]) -> None:
        self._available = MappingProxyType(available)

    def _forget_ended(self) -> None:
        with self._lock:
            over = [
                version
                for version in self._versions.values()
                if not version.aspired and version.state.state in ("START", "END")
            ]
            kept = [version for version in over if version.state.state == "END"]
            for version in over:
                if version not in kept[-_ENDED_VERSIONS_KEPT:]:
                    del self._versions[version.folder]
