"""What tells one version of a file from another without reading it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from preprocessing.storage.files import (
    DataFile,
    SourceError,
    is_remote,
    join,
    local_path,
)


def fingerprint(data_dir: str, files: Sequence[DataFile]) -> str:
    """A text that changes when one of the files does, comes, goes or is renamed.

    On this machine a file's version is its size and the nanoseconds at which its
    content and its entry in the file system last changed, so that a copy which keeps
    the old time is seen too. In an object store it is what the store's listing offers:
    size and time, and the checksum where it keeps no time.

    Args:
        data_dir: Where the files were found.
        files: The files (`storage.files.find_files`).

    Raises:
        SourceError: A file is not there any more.
    """
    versions = _remote_versions if is_remote(data_dir) else _local_versions
    digest = hashlib.sha256()
    for line in sorted(versions(data_dir, files)):
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return f"{len(files)} files, sha256 {digest.hexdigest()}"


def _local_versions(data_dir: str, files: Sequence[DataFile]) -> list[str]:
    versions = []
    for file in files:
        try:
            status = os.stat(local_path(file.path))
        except OSError as error:
            raise SourceError(f"{file.name} cannot be read: {error}") from error
        versions.append(
            f"{file.name}\t{status.st_size}\t{status.st_mtime_ns}\t{status.st_ctime_ns}"
        )
    return versions


def _remote_versions(data_dir: str, files: Sequence[DataFile]) -> list[str]:
    from apache_beam.io.filesystems import FileSystems

    folder, itself = FileSystems.match([join(data_dir, "**"), data_dir.rstrip("/")])
    wanted = {file.path: file.name for file in files}
    versions = []
    for found in (*folder.metadata_list, *itself.metadata_list):
        if found.path in wanted:
            name, time = wanted.pop(found.path), found.last_updated_in_seconds
            version = time or FileSystems.checksum(found.path)
            versions.append(f"{name}\t{found.size_in_bytes}\t{version}")
    if wanted:
        gone = ", ".join(sorted(wanted.values()))
        raise SourceError(f"not in {data_dir} any more: {gone}")
    return versions
