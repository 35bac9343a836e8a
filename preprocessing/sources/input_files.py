"""Which files below `--data` are read, and which are not."""

from __future__ import annotations

import os
from typing import NamedTuple

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.readers.delta_table import live_files
from preprocessing.sources import kuairand, movielens
from preprocessing.sources.file_patterns import file_patterns
from preprocessing.storage.file_versions import fingerprint
from preprocessing.storage.files import (
    DataFile,
    find_files,
    is_remote,
    join,
    list_files,
    local_path,
    shown_name,
)
from preprocessing.storage.folder_lock import LOCK_FILE

_SHOWN_NAMES = 5


class InputFiles(NamedTuple):
    """The files below a log's folder.

    Attributes:
        read: Those that the log consists of.
        unread: Names of all others, hidden ones among them.
        empty: Names of those that are read and have no content, on this machine.
    """

    read: list[DataFile]
    unread: list[str]
    empty: list[str]

    @property
    def note(self) -> str:
        """One line about files that are not read or empty; empty without any."""
        notes = (_note(self.unread, "not read"), _note(self.empty, "empty"))
        return "; ".join(filter(None, notes))


def input_files(
    source: SourceConfig, features: FeatureConfig, data_dir: str
) -> InputFiles:
    """Finds the files of a log and those beside them; reads none.

    Args:
        source: Names the format.
        features: Says whether the users' table of a data set is needed.
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        SourceError: There is no such folder, or its log is a single file of another
            format, or there is no such table.
    """
    if source.format == "delta":  # what else is there is of other versions
        return InputFiles(live_files(str(data_dir), source.version).files, [], [])
    read: dict[str, DataFile] = {}
    for pattern in _patterns(source, features, data_dir):
        for file in find_files(data_dir, pattern, required=False):
            read[file.name] = file
    names = set(list_files(data_dir) or ()) - {"", LOCK_FILE}
    found = [read[name] for name in sorted(read)]
    empty = [file.name for file in found if _is_empty(file.path)]
    return InputFiles(found, sorted(names - read.keys()), empty)


def input_state(source: SourceConfig, features: FeatureConfig, data_dir: str) -> str:
    """A text that changes when a file that is read changes, comes or goes.

    Args:
        source: Names the format.
        features: As for `input_files`.
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        SourceError: As `input_files`, or a file is not there any more.
    """
    if source.format == "delta":
        table, below = live_files(data_dir, source.version), join(data_dir, "")
        named = [DataFile(f.path, f.path.removeprefix(below)) for f in table.files]
        return f"version {table.version}, {fingerprint(data_dir, named)}"
    return fingerprint(data_dir, input_files(source, features, data_dir).read)


def _note(names: list[str], what: str) -> str:
    count = len(names)
    if not count:
        return ""
    shown = ", ".join(map(shown_name, names[:_SHOWN_NAMES]))
    more = f" and {count - _SHOWN_NAMES:,} more" if count > _SHOWN_NAMES else ""
    are = "1 file is" if count == 1 else f"{count:,} files are"
    return f"{are} {what}: {shown}{more}"


def _is_empty(path: str) -> bool:
    place = local_path(path)
    return not is_remote(path) and os.path.isfile(place) and not os.path.getsize(place)


def _patterns(
    source: SourceConfig, features: FeatureConfig, data_dir: str
) -> tuple[str, ...]:
    of_users = any(extra.entity == "user" for extra in features.extra)
    if source.format == "kuairand":
        users = (kuairand.USER_FILE,) if of_users else ()
        log = (kuairand.LOG_FILES, kuairand.VIDEO_FILE, kuairand.HISTORY_FILE)
        return (*log, *users)
    if source.format == "movielens":
        if not find_files(data_dir, movielens.DAT_FILES[0], required=False):
            return movielens.CSV_FILES
        return (*movielens.DAT_FILES, *((movielens.USER_FILE,) if of_users else ()))
    return file_patterns(source)
