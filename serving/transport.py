"""What the client needs of a protocol, and the answers it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from serving import wire_messages
from serving.tensor_spec import Array, SignatureSpec


@dataclass(frozen=True)
class VersionStatus:
    """State of one served version.

    Attributes:
        version: Its number.
        state: `START`, `LOADING`, `AVAILABLE`, `UNLOADING` or `END`.
        error: Why it cannot be served; empty for a sound one.
    """

    version: int
    state: str
    error: str


@dataclass(frozen=True)
class ModelMetadata:
    """The newest version and its signatures by name."""

    version: int
    signatures: Mapping[str, SignatureSpec]


class Transport(Protocol):
    """One protocol's way to a model; every method raises `ServingError`."""

    def predict(
        self, signature: str, inputs: Mapping[str, Array], spec: SignatureSpec
    ) -> dict[str, Array]:
        """Runs a signature on arrays that fit its specification."""

    def metadata(self) -> ModelMetadata:
        """The newest version's signatures."""

    def status(self) -> list[VersionStatus]:
        """State of every version."""

    def close(self) -> None:
        """Closes connections."""


def version_statuses(answer: Any) -> list[VersionStatus]:
    """Reads a `GetModelStatusResponse`."""
    return [
        VersionStatus(
            status.version,
            wire_messages.state_name(status.state),
            status.status.error_message,
        )
        for status in answer.model_version_status
    ]
