"""The versions of one model, found in a folder and kept loaded."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from serving.errors import FailedPrecondition, InvalidArgument, NotFound
from serving.saved_model import (
    SAVED_MODEL_FILE,
    ModelLoadError,
    ModelVersion,
    load_version,
)
from serving.warmup_replay import replay_warmup_requests

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelSpec:
    """What a request asks for, as the protocols' `ModelSpec` says it.

    Attributes:
        name: The model's name.
        version: A version's number; None for the newest.
        label: A version's label; this server has none.
        signature: The signature's name; empty for the default one.
    """

    name: str
    version: int | None = None
    label: str | None = None
    signature: str = ""


@dataclass(frozen=True)
class VersionState:
    """State of a version, in the terms of `ModelVersionStatus`.

    Attributes:
        number: The version's number.
        state: Name of the protocol's state: `AVAILABLE`, or `END` for a broken one.
        error: Why it cannot be served; empty for a sound one.
    """

    number: int
    state: str
    error: str = ""


class ModelStore:
    """Loads a model's versions from `model_dir/<number>/` and hands them out.

    The newest version that loads is the default one. A version that does not load is
    reported by `states`; if none does, the store cannot be made.

    Args:
        model_dir: The folder of numbered version folders.
        name: The model's name in requests.
        num_versions: How many of the newest versions to load; None loads all.

    Raises:
        ModelLoadError: If the folder is missing, holds no version or none that loads.
    """

    def __init__(self, model_dir: str, name: str, num_versions: int | None = None):
        self.name = name
        folders = _version_folders(model_dir)
        chosen = sorted(folders, reverse=True)[:num_versions]
        loaded, self._states = _load(folders, chosen)
        self._versions: Mapping[int, ModelVersion] = MappingProxyType(loaded)
        if not loaded:
            reasons = "; ".join(state.error for state in self._states)
            raise ModelLoadError(f"{model_dir} has no version that loads: {reasons}")

    def find(self, spec: ModelSpec) -> ModelVersion:
        """The version that a request asks for.

        Raises:
            InvalidArgument: If the request names no model.
            NotFound: If the model or the version is not served.
            FailedPrecondition: If a version label is asked for.
        """
        versions = self._versions
        if spec.label is not None:
            raise FailedPrecondition(
                f"Unrecognized servable version label: {spec.label!r}"
            )
        self._check_name(spec.name)
        if spec.version is None:
            return versions[max(versions)]
        if spec.version not in versions:
            known = ", ".join(str(number) for number in sorted(versions))
            raise NotFound(
                f"Servable not found for request: Specific({spec.name}, "
                f"{spec.version}). Served versions: {known}"
            )
        return versions[spec.version]

    def ready(self) -> bool:
        """Whether every model has a version to answer."""
        return bool(self._versions)

    def states(self, spec: ModelSpec) -> list[VersionState]:
        """State of the asked version, or of all, newest first.

        Raises:
            InvalidArgument: If the request names no model.
            NotFound: If the model or the version is unknown.
        """
        self._check_name(spec.name)
        if spec.version is None:
            return list(self._states)
        states = [state for state in self._states if state.number == spec.version]
        if not states:
            raise NotFound(
                f"Could not find version {spec.version} of model {spec.name}"
            )
        return states

    def _check_name(self, name: str) -> None:
        if not name:
            raise InvalidArgument("ModelSpec has no name specified.")
        if name != self.name:
            raise NotFound(
                f"Servable not found for request: Latest({name}). "
                f"Served model: {self.name}"
            )


def _version_folders(model_dir: str) -> dict[int, str]:
    if not os.path.isdir(model_dir):
        raise ModelLoadError(f"the model folder {model_dir} does not exist")
    entries = sorted(os.listdir(model_dir))
    folders = {
        int(entry): os.path.join(model_dir, entry)
        for entry in entries
        if entry.isascii() and entry.isdecimal()
    }
    if folders:
        return folders
    if SAVED_MODEL_FILE in entries:
        raise ModelLoadError(
            f"{model_dir} is itself a SavedModel; expected a folder of numbered "
            f"folders, such as DIR/1/{SAVED_MODEL_FILE}"
        )
    raise ModelLoadError(
        f"{model_dir} has no version; expected numbered folders, such as "
        f"DIR/1/{SAVED_MODEL_FILE}, received {entries[:5] or 'an empty folder'}"
    )


def _load(
    folders: Mapping[int, str], chosen: list[int]
) -> tuple[dict[int, ModelVersion], list[VersionState]]:
    loaded: dict[int, ModelVersion] = {}
    states = []
    for number in chosen:
        try:
            version = load_version(folders[number], number)
            replay_warmup_requests(folders[number], version)
        except ModelLoadError as error:
            _LOG.error("version %d is not served: %s", number, error)
            states.append(VersionState(number, "END", str(error)))
        else:
            loaded[number] = version
            states.append(VersionState(number, "AVAILABLE"))
    return loaded, states
