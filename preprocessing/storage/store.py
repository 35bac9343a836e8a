"""What a store of files by URI offers, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, NamedTuple, Protocol

import pyarrow as pa


class RemoteFile(NamedTuple):
    """A file of a store.

    Attributes:
        name: Its name below the place that was listed; empty for the place itself.
        size: Bytes.
        version: Changes when the file is written again; stores keep times in seconds,
            so not if that happens twice in one second with one size.
        time_ns: When it was written, in nanoseconds since 1970; 0 if that is not kept.
    """

    name: str
    size: int
    version: str
    time_ns: int


class Store(Protocol):
    """What a store of files by URI offers."""

    client: str
    """Through what it is reached, for people."""

    def find(self, place: str) -> list[RemoteFile]:
        """All files below a place, or the one that it is; none if there is nothing."""

    def open(self, uri: str) -> pa.NativeFile:
        """Opens a file for reading, with random access."""

    def create(self, uri: str) -> IO[bytes]:
        """Opens a file for writing; it is there once it is closed."""

    def delete(self, uris: Sequence[str]) -> None:
        """Deletes files."""

    def rename(self, uris: Sequence[str], to: Sequence[str]) -> None:
        """Moves files, in this order."""
