"""Which files below `--data` are read, and which are not."""

from __future__ import annotations

from typing import NamedTuple

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.sources import kuairand, movielens
from preprocessing.storage.file_versions import fingerprint
from preprocessing.storage.files import DataFile, find_files, list_files
from preprocessing.storage.folder_lock import LOCK_FILE

_SHOWN_NAMES = 5


class InputFiles(NamedTuple):
    """The files below a log's folder.

    Attributes:
        read: Those that the log consists of.
        unread: Names of all others, hidden ones among them.
    """

    read: list[DataFile]
    unread: list[str]

    @property
    def note(self) -> str:
        """One line about the files that are not read; empty without any."""
        count = len(self.unread)
        if not count:
            return ""
        shown = ", ".join(self.unread[:_SHOWN_NAMES])
        more = f" and {count - _SHOWN_NAMES:,} more" if count > _SHOWN_NAMES else ""
        are = "1 file is" if count == 1 else f"{count:,} files are"
        return f"{are} not read: {shown}{more}"


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
            format.
    """
    read: dict[str, DataFile] = {}
    for pattern in _patterns(source, features, data_dir):
        for file in find_files(data_dir, pattern, required=False):
            read[file.name] = file
    names = set(list_files(data_dir) or ()) - {"", LOCK_FILE}
    return InputFiles(
        [read[name] for name in sorted(read)], sorted(names - read.keys())
    )


def input_state(source: SourceConfig, features: FeatureConfig, data_dir: str) -> str:
    """A text that changes when a file that is read changes, comes or goes.

    Args:
        source: Names the format.
        features: As for `input_files`.
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        SourceError: As `input_files`, or a file is not there any more.
    """
    return fingerprint(data_dir, input_files(source, features, data_dir).read)


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
    return (_PATTERNS[source.format],)


_PATTERNS = {"parquet": "*.parquet", "csv": "*.csv", "tfrecord": "*.tfrecord*"}
