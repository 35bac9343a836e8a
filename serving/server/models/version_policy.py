"""Which versions of a model are to be served, and the next step towards that.

The three policies of TensorFlow Serving's `models.config`, and its
availability-preserving way from the versions loaded now to those aspired to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LatestVersions:
    """The versions of the highest numbers.

    Attributes:
        count: How many; TensorFlow Serving takes 0 for 1.
    """

    count: int = 1

    def aspired(self, found: Collection[int]) -> list[int]:
        """The found versions to serve, newest first."""
        return sorted(found, reverse=True)[: max(self.count, 1)]


@dataclass(frozen=True)
class AllVersions:
    """Every version that is found."""

    def aspired(self, found: Collection[int]) -> list[int]:
        """The found versions to serve, newest first."""
        return sorted(found, reverse=True)


@dataclass(frozen=True)
class SpecificVersions:
    """The versions of these numbers.

    Attributes:
        numbers: Those that are not found are not served.
    """

    numbers: frozenset[int]

    def aspired(self, found: Collection[int]) -> list[int]:
        """The found versions to serve, newest first."""
        return sorted(self.numbers.intersection(found), reverse=True)


VersionPolicy = LatestVersions | AllVersions | SpecificVersions


@dataclass(frozen=True)
class VersionSnapshot:
    """What decides about a version.

    Attributes:
        number: The version's number.
        folder: Its folder, which tells two versions of one number apart.
        aspired: Whether the policy wants it.
        state: `new` can be loaded, `ready` is served, `idle` is neither: its folder is
            still written, or it does not load.
    """

    number: int
    folder: str
    aspired: bool
    state: Literal["new", "ready", "idle"]


@dataclass(frozen=True)
class VersionAction:
    """One step.

    Attributes:
        action: What to do.
        version: With which of the snapshots.
    """

    action: Literal["load", "unload"]
    version: VersionSnapshot


def next_action(versions: Iterable[VersionSnapshot]) -> VersionAction | None:
    """The next step of one model's versions, None once nothing is left to do.

    As TensorFlow Serving's `AvailabilityPreservingPolicy`: the last version that is
    served goes only when an aspired one is served or none is aspired; of several
    versions the oldest is unloaded and the newest is loaded first.

    Args:
        versions: All versions that are aspired or served.
    """
    versions = list(versions)
    aspired = [version for version in versions if version.aspired]
    leaving = [
        version
        for version in versions
        if not version.aspired and version.state == "ready"
    ]
    replaced = any(version.state == "ready" for version in aspired)
    if leaving and (not aspired or replaced or len(leaving) > 1):
        return VersionAction("unload", min(leaving, key=lambda each: each.number))
    coming = [version for version in aspired if version.state == "new"]
    if coming:
        return VersionAction("load", max(coming, key=lambda each: each.number))
    return None
