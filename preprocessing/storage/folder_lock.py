"""A folder on this machine that one process at a time works in.

Whoever writes to it holds it, whoever reads what a holder has written shares it.
"""

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
        FolderInUseError: Another process holds it, or reads from it.
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


@contextmanager
def share_folder(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keeps others from holding a folder until the block ends; any number may share it.

    A folder that nobody has held yet is read without a word: nothing is written to it,
    so that it may be read-only.

    Args:
        path: A folder of this machine, or anything else.

    Raises:
        FolderInUseError: Another process holds it.
    """
    try:
        lock = os.open(os.path.join(path, LOCK_FILE), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(
                f"{os.fspath(path)} is being written by another process: wait until it "
                "has finished"
            ) from error
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)
