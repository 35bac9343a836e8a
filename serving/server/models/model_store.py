"""The models that a server serves: finds the version a request asks for."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from serving.protocol.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ServingError,
)
from serving.server.models.loading import load_and_warm_up
from serving.server.models.model_config import ModelConfig
from serving.server.models.saved_model import ModelLoadError, ModelVersion
from serving.server.models.served_model import ServedModel, VersionLoader
from serving.server.models.served_version import LoadRetries
from serving.server.models.version_state import VersionState
from serving.server.settings.text_config import ServerConfigError

_LOG = logging.getLogger(__name__)

Labels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class ModelSpec:
    """What a request asks for, as the protocols' `ModelSpec` says it.

    Attributes:
        name: The model's name.
        version: A version's number; None for the newest.
        label: A version's label.
        signature: The signature's name; empty for the default one.
    """

    name: str
    version: int | None = None
    label: str | None = None
    signature: str = ""


class ModelStore:
    """Keeps the configured models loaded and hands out their versions.

    `find`, `states` and `ready` never wait. `poll` and `reload` load and unload: a new
    version is loaded and warmed up, then published, and only then the old one goes;
    its memory is freed when the last request that holds it is answered.

    Args:
        models: What to serve.
        allow_version_labels_for_unavailable_models: Whether a label that is new may
            name a version that is not loaded, as TensorFlow Serving's flag of this
            name; without it, labels can be assigned by `reload` alone.
        retries: How often a version that does not load is tried again.
        load: Loads and warms up a version; for tests.
        clock: Seconds that only grow; for tests.

    Raises:
        ModelLoadError: If a model has no version that loads.
        ServerConfigError: If a label names a version that is not loaded.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        allow_version_labels_for_unavailable_models: bool = False,
        retries: LoadRetries | None = None,
        load: VersionLoader = load_and_warm_up,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._labels_need_no_version = allow_version_labels_for_unavailable_models
        self._retries = retries or LoadRetries()
        self._load = load
        self._clock = clock
        self._changes = threading.Lock()
        self._models: Mapping[str, ServedModel] = MappingProxyType({})
        self._labels: Labels = MappingProxyType({})
        # Its put is safe within a weak reference's callback.
        self.releases: queue.SimpleQueue[str] = queue.SimpleQueue()
        try:
            problems = self._apply(models)
        except FailedPrecondition as error:
            raise ServerConfigError(
                f"{error.message}. At the start no version is; use "
                "allow_version_labels_for_unavailable_models, or assign labels later"
            ) from error
        if problems:
            raise ModelLoadError("; ".join(problems.values()))

    @property
    def configs(self) -> list[ModelConfig]:
        """What is served now."""
        return [model.config for model in self._models.values() if model.config]

    def find(self, spec: ModelSpec) -> ModelVersion:
        """The version that a request asks for; whoever holds it keeps it loaded.

        Raises:
            InvalidArgument: If the request names no model or an unknown label.
            NotFound: If the model or the version is not served.
        """
        if not spec.name:
            raise InvalidArgument("ModelSpec has no name specified.")
        number = spec.version
        if spec.label is not None:
            number = self._labels.get(spec.name, {}).get(spec.label)
            if number is None:
                raise InvalidArgument(
                    f"Unrecognized servable version label: {spec.label}"
                )
        model = self._models.get(spec.name)
        versions = model.available if model else {}
        wanted = max(versions, default=None) if number is None else number
        if wanted is None or wanted not in versions:
            request = f"Latest({spec.name})"
            if number is not None:
                request = f"Specific({spec.name}, {number})"
            raise NotFound(f"Servable not found for request: {request}")
        return versions[wanted]

    def states(self, spec: ModelSpec) -> list[VersionState]:
        """State of the asked version, or of all, newest first.

        Versions that were unloaded or did not load are among them, also those of
        removed models. A label is ignored, as TensorFlow Serving ignores it.

        Raises:
            NotFound: If the model or the version was never seen.
        """
        model = self._models.get(spec.name)
        states = model.states() if model else []
        if spec.version is not None:
            states = [state for state in states if state.number == spec.version]
            if not states:
                raise NotFound(
                    f"Could not find version {spec.version} of model {spec.name}"
                )
        if not states:
            raise NotFound(f"Could not find any versions of model {spec.name}")
        return states

    def ready(self) -> bool:
        """Whether every configured model has a version that answers requests."""
        return not any(model.problem() for model in self._models.values())

    def poll(self) -> None:
        """Looks for versions that came or went, and loads and unloads them."""
        with self._changes:
            for model in self._models.values():
                model.reconcile(wait_until_settled=True)

    def reload(self, models: Sequence[ModelConfig]) -> None:
        """Serves other models from now on; returns when they are loaded.

        A configuration that is refused changes nothing. One whose new models do not
        load stays, and `poll` keeps trying.

        Raises:
            ServingError: `FailedPrecondition` for labels of versions that are not
                loaded, `UNKNOWN` for new models of which no version loads.
        """
        known = {name for name, model in self._models.items() if model.config}
        problems = self._apply(models)
        failed = [problem for name, problem in problems.items() if name not in known]
        if failed:
            raise ServingError(
                f"{len(failed)} model(s) did not become available: "
                f"{{{', '.join(f'{{{problem}}}' for problem in failed)}}}"
            )

    def note_released(self) -> int:
        """Ends the versions that were unloaded and that no request holds any more."""
        return sum(model.note_released() for model in self._models.values())

    def _apply(self, configs: Sequence[ModelConfig]) -> dict[str, str]:
        """Why models cannot be served, by name."""
        with self._changes:
            labels = self._checked_labels(configs)
            models = dict(self._models)
            for name in models.keys() - {config.name for config in configs}:
                _LOG.info("removing model %s", name)
                models[name].configure(None)
            for config in configs:
                _LOG.info("adding or updating model %s", config.name)
                if config.name not in models:
                    models[config.name] = self._new_model(config.name)
                models[config.name].configure(config)
            self._models = MappingProxyType(models)
            self._labels = labels
            for model in models.values():
                model.reconcile(wait_until_settled=False)
        problems = {name: model.problem() for name, model in models.items()}
        return {name: problem for name, problem in problems.items() if problem}

    def _new_model(self, name: str) -> ServedModel:
        def on_released() -> None:
            self.releases.put(name)

        return ServedModel(name, self._load, self._retries, self._clock, on_released)

    def _checked_labels(self, configs: Sequence[ModelConfig]) -> Labels:
        for config in configs:
            for label, number in config.version_labels.items():
                if not self._is_assignable(config.name, label, number):
                    raise FailedPrecondition(
                        f"Request to assign label to version {number} of model "
                        f"{config.name}, which is not currently available for "
                        "inference"
                    )
        return MappingProxyType(
            {config.name: dict(config.version_labels) for config in configs}
        )

    def _is_assignable(self, model: str, label: str, number: int) -> bool:
        # A label in use may only move to a version that is loaded.
        used_for = self._labels.get(model, {}).get(label, number)
        if self._labels_need_no_version and used_for == number:
            return True
        served = self._models.get(model)
        return served is not None and number in served.available
