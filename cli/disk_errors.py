"""What the disk refuses, as one line that names the option of the place."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

_NO_FOLDER = (errno.EEXIST, errno.ENOTDIR)
# Of these the place that is written to is the reason, whatever else is read meanwhile.
_OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_SAID = (*map(os.strerror, _OF_WRITING), "database or disk is full")


@contextmanager
def opening(option: str, place: str | Path) -> Iterator[None]:
    """Reports any error of the system in the block, which only opens the place.

    Raises:
        click.ClickException: Instead of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise _refused(option, place, _reason(error)) from error


@contextmanager
def writing(option: str, place: str | Path) -> Iterator[None]:
    """Reports a disk that is full or read-only, whichever library noticed it.

    Raises:
        click.ClickException: Instead of the library's error.
    """
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:
        reason = _reason_of_writing(error)
        if not reason:
            raise
        raise _refused(option, place, reason) from error


def _refused(option: str, place: str | Path, reason: str) -> click.ClickException:
    return click.ClickException(f"{option} {place} cannot be written to: {reason}")


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno in _NO_FOLDER:
        reason = "a file stands where a folder should be"
    return f"{reason} ({error.filename})" if error.filename else reason


def _reason_of_writing(error: BaseException | None) -> str:
    """Why writing failed, by the error or what caused it; empty for other errors."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OF_WRITING:
            return os.strerror(error.errno)
        said = [reason for reason in _SAID if reason in str(error)]
        if said:
            return said[0]
        error = error.__cause__ or error.__context__
    return ""
