"""Folders of object stores, for commands that need folders of this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from cli.disk_errors import opening
from cli.options import not_empty
from cli.out_folder import held_folder, in_use_in_one_line

if TYPE_CHECKING:
    from preprocessing.storage.staging import StagedFolder, Transfer

_LOG = logging.getLogger(__name__)


class FolderOrUri(click.Path):
    """A folder of this machine that exists, or a URI of a store, as text."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Checks a folder; a URI is looked at by who uses it."""
        if "://" in str(not_empty(self, value, param, ctx)):
            return str(value)
        return str(super().convert(value, param, ctx))


def check_store_writable(option: str, uri: str) -> None:
    """Finds out before any work whether a store may be written to.

    Args:
        option: How the user named it.
        uri: A folder of the store, which need not be there yet.

    Raises:
        click.ClickException: It may not.
    """
    from preprocessing.storage.files import check_writable

    with opening(option, uri):
        check_writable(uri)


@contextmanager
def staged_out(out: str) -> Iterator[Path]:
    """The folder of this machine in which a command works for `--out`.

    For a URI it is a copy, brought first and sent back at the end, also of a run that
    failed: so that it can go on from any machine.

    Args:
        out: A path or a URI.

    Raises:
        click.ClickException: The store cannot be read or written.
    """
    if (staged := _staged("--out", out)) is None:
        yield _local(out)
        return
    with held_folder("--out", staged.root):
        check_store_writable("--out", out)
        _bring("--out", staged)
        try:
            yield staged.local
        except BaseException:
            _send(staged)
            raise
        if not _send(staged):
            raise click.ClickException("run again to send the rest")


@contextmanager
def staged_data(data_dir: str, option: str = "--data") -> Iterator[Path]:
    """The folder or file of this machine that a command reads for `--data`.

    For a URI it is a copy. Others may read it meanwhile, and it does not change.

    Args:
        data_dir: A path or a URI.
        option: How the user named it.

    Raises:
        click.ClickException: The store cannot be read, or its files have changed while
            another process reads the copy.
    """
    from preprocessing.storage.folder_lock import (
        FolderInUseError,
        hold_folder,
        share_folder,
    )

    if (staged := _staged(option, data_dir)) is None:
        yield _local(data_dir)
        return
    with in_use_in_one_line():
        try:
            with hold_folder(staged.root):
                _bring(option, staged)
        except FolderInUseError:
            with _reading(option):
                behind = staged.is_behind()
            if behind:
                raise
        with share_folder(staged.root):
            yield staged.local


@contextmanager
def staged_models(model_dir: str, poll_s: float) -> Iterator[Path]:
    """The folder of this machine that a server serves for `--model`.

    For a URI it is a temporary copy, which follows the store while the block runs; any
    number of servers may follow one folder.

    Args:
        model_dir: A path or a URI.
        poll_s: Seconds between two looks at the store; 0: only the first.

    Raises:
        click.ClickException: The store cannot be read.
    """
    if _staged("--model", model_dir) is None:
        yield _local(model_dir)
        return
    from preprocessing.storage.staging import StagedFolder

    with TemporaryDirectory(prefix="poso-serve-") as root:
        staged = StagedFolder(model_dir, Path(root))
        _bring("--model", staged)
        ended = threading.Event()
        if poll_s:
            follow = threading.Thread(
                target=_follow, args=(staged, poll_s, ended), daemon=True
            )
            follow.start()
        try:
            yield staged.local
        finally:
            ended.set()


def _staged(option: str, place: str) -> StagedFolder | None:
    """The copy of a store's folder; None for a place of this machine.

    Raises:
        click.ClickException: A URI of a store that has not been tried.
    """
    from preprocessing.storage.files import is_remote

    if not is_remote(place):
        return None
    if not place.startswith("s3://"):
        raise click.ClickException(
            "this command works on a folder of this machine or of a store under s3://; "
            "poso features and poso compile take other URIs, too. "
            f"Received: {option} {place}"
        )
    from preprocessing.storage.staging import StagedFolder

    return StagedFolder(place)


def _local(place: str) -> Path:
    """A path as it was given, or that of a `file://` URI."""
    from preprocessing.storage.files import local_path

    return Path(local_path(place) if "://" in place else place)


@contextmanager
def _reading(option: str) -> Iterator[None]:
    """Reports a store that cannot be read, in one line."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{option} {error}") from error


def _bring(option: str, staged: StagedFolder) -> None:
    with _reading(option):
        brought = staged.pull()
    if option != "--out" and not staged.local.exists():
        raise click.ClickException(f"{option}: there is nothing at {staged.uri}")
    click.echo(
        f"{staged.uri} is copied to {staged.local} by {staged.client}: {_said(brought)}"
    )


def _follow(staged: StagedFolder, poll_s: float, ended: threading.Event) -> None:
    while not ended.wait(poll_s):
        try:
            brought = staged.pull()
        except OSError as error:
            _LOG.warning("not looked at: %s", error)
            continue
        if brought.files:
            _LOG.info("%s brought from %s", _said(brought), staged.uri)


def _send(staged: StagedFolder) -> bool:
    try:
        sent = staged.push()
    except OSError as error:
        click.echo(f"not all sent; the rest is in {staged.local}: {error}", err=True)
        return False
    click.echo(f"{_said(sent)} sent to {staged.uri}")
    return True


def _said(moved: Transfer) -> str:
    files = "1 file" if moved.files == 1 else f"{moved.files:,} files"
    return f"{files} ({moved.bytes / 1e6:,.1f} MB)"
