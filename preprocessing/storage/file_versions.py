"""What tells one version of a file from another without reading it."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Sequence

from preprocessing.storage.files import (
    DataFile,
    SourceError,
    is_remote,
    local_path,
)
from preprocessing.storage.remote import store_of


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
    wanted = {file.name for file in files}
    found = {
        file.name or posixpath.basename(data_dir.rstrip("/")): file
        for file in store_of(data_dir).find(data_dir)
    }
    if gone := sorted(wanted - found.keys()):
        raise SourceError(f"not in {data_dir} any more: {', '.join(gone)}")
    return [f"{name}\t{found[name].version}" for name in wanted]
