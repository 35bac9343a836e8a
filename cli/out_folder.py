"""Places that a command writes to, looked at before any work.

What cannot be used is one line, which names the option.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.disk_errors import opening, writing

if TYPE_CHECKING:
    from preprocessing.storage.overlap import Place


def check_features_output(out: str) -> None:
    """Checks that `poso features` would replace nothing but its own earlier output.

    Raises:
        click.ClickException: It would.
    """
    from preprocessing.engine.earlier_output import check_replaceable

    with _one_line(f"--out {out}: "):
        check_replaceable(out)


def check_features_places(out: str, data_dir: str, state_dir: str | None) -> None:
    """Checks that the output of `poso features` lies apart from what it reads.

    Raises:
        click.ClickException: It does not.
    """
    from preprocessing.engine.output_folder import check_places

    with _one_line():
        check_places(out, data_dir, state_dir, ("--out", "--data", "--state"))


def check_written_apart(written: Place, *read: Place) -> None:
    """Checks that nothing would be written into what is read, nor the other way round.

    Raises:
        click.ClickException: It would.
    """
    from preprocessing.storage.overlap import check_apart

    with _one_line():
        for place in read:
            check_apart(written, place)


@contextmanager
def held_folder(option: str, folder: str | Path) -> Iterator[None]:
    """Holds a folder of this machine, so that no other command writes to it meanwhile.

    Args:
        option: How the user named it.
        folder: The folder; made if it is missing.

    Raises:
        click.ClickException: It is held already, cannot be written to, or the disk is
            full before the block ends.
    """
    from preprocessing.storage.folder_lock import hold_folder

    with ExitStack() as stack:
        with opening(option, folder), in_use_in_one_line():
            context = click.get_current_context(silent=True)
            holder = (context.command_path,) if context else ()
            stack.enter_context(hold_folder(folder, *holder))
        with writing(option, folder):
            yield


@contextmanager
def in_use_in_one_line() -> Iterator[None]:
    """Reports a folder that another process uses.

    Raises:
        FolderInUse: Instead of a `FolderInUseError`.
    """
    from preprocessing.storage.folder_lock import FolderInUseError

    try:
        yield
    except FolderInUseError as error:
        raise FolderInUse(str(error)) from error


class FolderInUse(click.ClickException):
    """Another process uses a folder; with an exit status of its own, to try later."""

    exit_code = os.EX_TEMPFAIL


@contextmanager
def _one_line(prefix: str = "") -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{prefix}{error}") from error
