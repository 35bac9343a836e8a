"""The file with the records of a run folder: ML Metadata, an sqlite database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ml_metadata.errors import StatusError
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

# Every run of ours begins with one of these.
_COMPONENTS = ("%.ImpressionExampleGen", "%.ContractSchemaGen")


class RunFolderError(ValueError):
    """A run folder that cannot be gone on with; the message says what to do."""


def check_records(metadata: Path) -> None:
    """Checks that a run folder's records are there, before anything opens them.

    Raises:
        FileNotFoundError: There are none.
        RunFolderError: They are none of ours.
    """
    if not metadata.exists():
        raise FileNotFoundError(
            f"{metadata.parent} holds no run: {metadata} is missing"
        )
    if not is_ours(metadata):
        raise RunFolderError(f"{metadata} was not made by a run of poso")
    if not metadata.stat().st_size:
        raise FileNotFoundError(f"{metadata.parent} holds no run: {metadata} is empty")


def is_ours(metadata: Path) -> bool:
    """Whether a file holds the records of our pipeline, or none of any pipeline."""
    if not metadata.is_file():
        return False
    if not metadata.stat().st_size:  # of a run that was killed at its start
        return True
    place = f"{metadata.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(place, uri=True)) as records:
            used = records.execute("SELECT 1 FROM Execution LIMIT 1").fetchone()
            kind = records.execute(
                "SELECT 1 FROM Type WHERE name LIKE ? OR name LIKE ?", _COMPONENTS
            ).fetchone()
    except sqlite3.Error:
        return False
    return not used or kind is not None


def open_store(metadata: Path, read_only: bool = False) -> Any:
    """The `ml_metadata.MetadataStore` of a run folder.

    Args:
        metadata: The file.
        read_only: Whether nothing will be written; an empty file then cannot be read.

    Raises:
        RunFolderError: It cannot be read.
    """
    connection = pb.ConnectionConfig()
    connection.sqlite.filename_uri = str(metadata)
    if read_only:
        connection.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    try:
        store = metadata_store.MetadataStore(connection)
        store.get_artifact_types()
        return store
    except (StatusError, RuntimeError) as error:
        raise RunFolderError(
            f"{metadata} cannot be read ({error}): give another --out, or remove the "
            "folder that it lies in"
        ) from error
