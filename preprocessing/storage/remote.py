"""Files by URI: which store there is for a scheme, and what each can do.

`s3://` goes through Arrow's own client, which is part of pyarrow: no further package,
no transfer through Beam's retries of many minutes. Other schemes (`gs://`, `hdfs://`)
go through Beam's file systems, those that its runners use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import pyarrow as pa

from preprocessing.storage.s3 import S3Store
from preprocessing.storage.store import RemoteFile, Store


def store_of(uri: str) -> Store:
    """The store that a URI's scheme names."""
    if uri.startswith("s3://"):
        return S3Store()
    return BeamStore()


class BeamStore:
    """A store by Beam's file systems, those that its runners use."""

    client = "Beam"

    def find(self, place: str) -> list[RemoteFile]:
        """Files below a place, or the one that it is."""
        folder = place.rstrip("/") + "/"
        below, itself = self._systems().match([folder + "**", place.rstrip("/")])
        found = below.metadata_list or itself.metadata_list
        return [
            RemoteFile(
                file.path.removeprefix(folder) if below.metadata_list else "",
                file.size_in_bytes,
                f"{file.size_in_bytes}-"
                f"{file.last_updated_in_seconds or self._checksum(file.path)}",
                int((file.last_updated_in_seconds or 0) * 1e9),
            )
            for file in found
        ]

    def open(self, uri: str) -> pa.NativeFile:
        """Opens a file for reading, with random access."""
        return pa.PythonFile(self._systems().open(uri, **_as_it_is()), mode="r")

    def create(self, uri: str) -> IO[bytes]:
        """Opens a file for writing; it is there once it is closed."""
        created: IO[bytes] = self._systems().create(uri, **_as_it_is())
        return created

    def delete(self, uris: Sequence[str]) -> None:
        """Deletes files."""
        self._systems().delete(list(uris))

    def rename(self, uris: Sequence[str], to: Sequence[str]) -> None:
        """Moves files, in this order."""
        self._systems().rename(list(uris), list(to))

    def _checksum(self, uri: str) -> str:
        return str(self._systems().checksum(uri))

    @staticmethod
    def _systems() -> Any:
        from apache_beam.io.filesystems import FileSystems

        return FileSystems


def _as_it_is() -> dict[str, str]:
    from apache_beam.io.filesystem import CompressionTypes

    return {"compression_type": CompressionTypes.UNCOMPRESSED}
