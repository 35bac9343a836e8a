"""A folder on this machine that one process at a time works in."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

LOCK_FILE = ".lock"


class FolderInUseError(OSError):
    """Another process works in the folder."""


@contextmanager
def hold_folder(path: str | os.PathLike[str]) -> Iterator[None]:
    """Holds a folder, which is made if it is not there, until the block ends.

    The operating system lets go of it when the process ends, however it does.

    Args:
        path: A folder of this machine.

    Raises:
        FolderInUseError: Another process holds it.
        OSError: It cannot be made or written to.
    """
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, LOCK_FILE), "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(
                f"{os.fspath(path)} is in use by another process: wait until it has "
                "finished, or choose another folder"
            ) from error
        yield
