"""Folders of object stores, for commands that need folders of this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.disk_errors import opening
from cli.out_folder import held_folder

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
        if "://" in str(value):
            return str(value)
        return str(super().convert(value, param, ctx))


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
    from preprocessing.storage.files import is_remote, local_path
    from preprocessing.storage.staging import StagedFolder

    if not is_remote(out):
        yield Path(local_path(out)) if "://" in out else Path(out)
        return
    staged = StagedFolder(out)
    with held_folder("--out", staged.own):
        with opening("--out", out):
            staged.check_writable()
            brought = staged.pull()
        click.echo(
            f"{out} is worked on in {staged.local} (through {staged.client}); "
            f"{_said(brought)} brought"
        )
        try:
            yield staged.local
        except BaseException:
            _send(staged)
            raise
        if not _send(staged):
            raise click.ClickException("run again to send the rest")


@contextmanager
def staged_models(model_dir: str, poll_s: float) -> Iterator[str]:
    """The folder of this machine that a server serves for `--model`.

    For a URI it is a copy, which follows the store while the block runs.

    Args:
        model_dir: A path or a URI.
        poll_s: Seconds between two looks at the store; 0: only the first.

    Raises:
        click.ClickException: The store cannot be read.
    """
    from preprocessing.storage.files import is_remote, local_path
    from preprocessing.storage.staging import StagedFolder

    if not is_remote(model_dir):
        yield local_path(model_dir) if "://" in model_dir else model_dir
        return
    staged = StagedFolder(model_dir)
    with held_folder("--model", staged.own):
        try:
            brought = staged.pull()
        except OSError as error:
            raise click.ClickException(f"--model {error}") from error
        if not staged.local_files():
            raise click.ClickException(f"--model: there is no file below {model_dir}")
        click.echo(
            f"{model_dir} is served from {staged.local} (through {staged.client}); "
            f"{_said(brought)} brought"
        )
        ended = threading.Event()
        if poll_s:
            follow = threading.Thread(
                target=_follow, args=(staged, poll_s, ended), daemon=True
            )
            follow.start()
        try:
            yield str(staged.local)
        finally:
            ended.set()


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
