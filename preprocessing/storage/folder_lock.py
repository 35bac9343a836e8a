"""A folder on this machine that one process at a time works in.

Whoever writes to it holds it, whoever reads what a holder has written shares it.
"""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

LOCK_FILE = ".lock"

_MOST_BYTES = 1000  # of a holder's name, whatever may lie in the file
_PAUSES_S = (0.01, 0.05, 0.2)  # between tries; who looks for the holder needs less


class FolderInUseError(OSError):
    """Another process works in the folder."""


@contextmanager
def hold_folder(
    path: str | os.PathLike[str], holder: str = "another process"
) -> Iterator[None]:
    """Holds a folder, which is made if it is not there, until the block ends.

    The operating system lets go of it when the process ends, however it does.

    Args:
        path: A folder of this machine.
        holder: What holds it, such as `poso run`: others are told so, with the number
            of this process.

    Raises:
        FolderInUseError: Another process holds it, or reads from it.
        OSError: It cannot be made or written to.
    """
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, LOCK_FILE), "a+b") as file:
        if not _lock(file):
            raise FolderInUseError(
                f"{os.fspath(path)} is in use by {_holder(file)}: wait until it has "
                "finished, or choose another folder"
            )
        name = f"{holder} (process {os.getpid()} on {platform.node()})"
        file.truncate(0)
        file.write(name.encode())
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


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
        opened = os.open(os.path.join(path, LOCK_FILE), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield
        return
    with open(opened, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(
                f"{os.fspath(path)} is being written by {_holder(file)}: wait until it "
                "has finished"
            ) from error
        except OSError:  # a file system without locks
            pass
        yield


def holder_of(path: str | os.PathLike[str]) -> str | None:
    """The process that holds a folder at the moment; None if none does."""
    try:
        with share_folder(path):
            return None
    except FolderInUseError:
        with open(os.path.join(path, LOCK_FILE), "rb") as file:
            return _name_in(file)


def _lock(file: BinaryIO) -> bool:
    """Takes the lock, though somebody may just be looking who has it (`holder_of`)."""
    for pause_s in (*_PAUSES_S, None):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if pause_s is not None:
                time.sleep(pause_s)
    return False


def _holder(file: BinaryIO) -> str:
    """The process that holds a lock file, as far as it is known."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _name_in(file)
    return "another process, which reads it"  # and what a killed holder left is old


def _name_in(file: BinaryIO) -> str:
    file.seek(0)
    text = file.read(_MOST_BYTES).decode(errors="replace").strip()
    return text.splitlines()[0] if text else "another process"
