"""A version's state, in the terms of the protocols' `ModelVersionStatus`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StateName = Literal["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]


@dataclass(frozen=True)
class VersionState:
    """What is known about a version.

    Attributes:
        number: The version's number.
        state: `START` was found and waits, `LOADING` is loaded and warmed up,
            `AVAILABLE` answers requests, `UNLOADING` answers the last of them, `END`
            is unloaded or does not load.
        code: Name of the status code of the failure; `OK` for a sound version.
        error: Why it cannot be served; empty for a sound one.
    """

    number: int
    state: StateName
    code: str = "OK"
    error: str = ""
