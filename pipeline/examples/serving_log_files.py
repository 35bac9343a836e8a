"""Which files of logged requests there are; loads neither TensorFlow nor TFX."""

from __future__ import annotations

from preprocessing.storage.file_versions import fingerprint
from preprocessing.storage.files import DataFile, find_files, list_files
from serving.protocol.request_log_file import SUFFIX


def serving_log_files(folder: str) -> list[DataFile] | None:
    """The whole files below a folder, the oldest first; None without a folder.

    Args:
        folder: Where servers log requests, or the folders that several have.
    """
    if list_files(folder) is None:
        return None
    files = find_files(folder, f"*{SUFFIX}", required=False)
    return sorted(files, key=lambda file: file.name.rpartition("/")[2])


def serving_logs_state(folder: str) -> str:
    """A text that changes when a file comes, goes or changes.

    Args:
        folder: Where servers log requests.

    Raises:
        SourceError: A file went while it was looked at.
    """
    files = serving_log_files(folder)
    return "no folder" if files is None else fingerprint(folder, files)
