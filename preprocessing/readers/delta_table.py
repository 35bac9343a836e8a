"""What a Delta table's log says: its files, and the columns that they have."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from preprocessing.storage.files import (
    DataFile,
    SourceError,
    is_remote,
    join,
    local_path,
)
from preprocessing.storage.folder_columns import folder_name, folder_values

if TYPE_CHECKING:
    from deltalake import DeltaTable

_MAPPED = "delta.columnMapping.mode"
_MASKED = "deletionVectors"


class LiveFiles(NamedTuple):
    """A version of a table.

    Attributes:
        version: Its number.
        columns: Names of the table's columns; a file may lack some.
        files: The files that hold its rows. The folders of a file's name tell the
            columns by which the table is partitioned.
    """

    version: int
    columns: list[str]
    files: list[DataFile]


def live_files(folder: str, version: int | None) -> LiveFiles:
    """The files of a Delta table.

    Args:
        folder: Its folder: a path or a URI.
        version: Which version; None for the newest.

    Raises:
        SourceError: There is no such table or version, it has no rows, its files are
            not all that there is to know of its rows, or the package that reads such
            tables is missing.
    """
    table = _open(folder, version)
    _check_plain(table, folder)
    actions = table.get_add_actions()
    paths = actions.column("path").to_pylist()
    values: list[dict[str, Any]] = [{}] * len(paths)
    if "partition" in actions.schema.names:
        values = [*actions.column("partition").to_pylist()]
    files = [_file(folder, *each) for each in zip(paths, values, strict=True)]
    if not files:
        raise SourceError(f"the Delta table {folder} has no rows")
    columns = [field.name for field in table.schema().fields]
    files.sort(key=lambda file: file.name)
    return LiveFiles(table.version(), columns, files)


def _open(folder: str, version: int | None) -> DeltaTable:
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise SourceError(
            "source.format delta needs the package deltalake: pip install 'poso[delta]'"
        ) from error
    place = folder if is_remote(folder) else local_path(folder)
    try:
        return DeltaTable(place, version=version)
    except (DeltaError, OSError) as error:
        which = "" if version is None else f" of version {version}"
        raise SourceError(
            f"there is no Delta table{which} in {folder} that can be read: "
            f"{' '.join(str(error).split())}"
        ) from error


def _check_plain(table: DeltaTable, folder: str) -> None:
    """Checks that each row of the files is one of the table, under its own names."""
    if table.metadata().configuration.get(_MAPPED, "none") != "none":
        raise SourceError(
            f"the Delta table {folder} has {_MAPPED} set: its files have other column "
            "names than the table. Export the rows to Parquet files in another folder"
        )
    if _MASKED not in (table.protocol().reader_features or ()):
        return
    masked = sum(batch.num_rows for batch in table.deletion_vectors())
    if masked:
        raise SourceError(
            f"the Delta table {folder} has {masked} files with deletion vectors: they "
            "hold rows that the table has deleted. REORG TABLE ... APPLY (PURGE) "
            "writes them anew; or export the rows to Parquet files in another folder"
        )


def _file(folder: str, path: str, partition: dict[str, Any]) -> DataFile:
    """A file by its path in the log, which is written as part of a URL."""
    name = unquote(path)
    if "://" in name or name.startswith("/"):
        raise SourceError(
            f"the Delta table {folder} has files elsewhere, such as {name}: it is a "
            "shallow clone. Read the table that it was made of, or a deep clone"
        )
    told = {column: _text(value) for column, value in partition.items()}
    shown = name if folder_values(name) == told else join(folder_name(told), name)
    return DataFile(join(folder, name), shown)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.date):  # a time, too
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
