"""What the client needs of a protocol, and the answers that a protocol gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from serving.protocol import messages as wire_messages
from serving.protocol.tensor_spec import Array, SignatureSpec


@dataclass(frozen=True)
class VersionStatus:
    """State of one served version.

    Attributes:
        version: Its number.
        state: `START`, `LOADING`, `AVAILABLE`, `UNLOADING` or `END`.
        error: Why it cannot be served; empty if it can.
    """

    version: int
    state: str
    error: str


@dataclass(frozen=True)
class ModelMetadata:
    """A version and its signatures by name."""

    version: int
    signatures: Mapping[str, SignatureSpec]


@dataclass(frozen=True)
class ModelChoice:
    """Which model is asked, and which of its versions.

    Attributes:
        name: The model's name.
        version: Its number; None for the newest.
        label: The label of a version instead, such as `stable`.

    Raises:
        ValueError: If both a version and a label are given.
    """

    name: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            raise ValueError(
                "expected a version or a label, not both. Received: version "
                f"{self.version}, label {self.label!r}"
            )


class Transport(Protocol):
    """Asks a model over one protocol.

    Every method takes the seconds to wait, makes one try and raises `ServingError`:
    `Unavailable` if the call may be tried again, `Interrupted` if it may not.
    """

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Array],
        spec: SignatureSpec,
        timeout_s: float,
    ) -> dict[str, Array]:
        """Runs a signature on arrays that fit its specification."""

    def metadata(self, timeout_s: float) -> ModelMetadata:
        """The chosen version's signatures."""

    def status(self, timeout_s: float) -> list[VersionStatus]:
        """State of the chosen version, or of every version if none is chosen."""

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
