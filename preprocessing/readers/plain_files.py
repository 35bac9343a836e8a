"""The files of a log that are found by their names."""

from __future__ import annotations

from dataclasses import dataclass

from preprocessing.storage.files import DataFile, find_files


@dataclass(frozen=True)
class PlainFiles:
    """Files in a folder and its sub-folders, or one file: what their readers share.

    Args:
        data_dir: Path or URI.
        patterns: What the files are called.
    """

    data_dir: str
    patterns: tuple[str, ...]
    is_typed = True
    is_sparse = False

    def files(self) -> list[DataFile]:
        """The log's files."""
        return find_files(self.data_dir, *self.patterns)
