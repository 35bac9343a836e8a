"""What the user sees: our lines on the terminal, everything else in a log file."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.disk_errors import opening, writing

if TYPE_CHECKING:
    from pipeline.progress import LiveProgress

_PLAIN_WIDTH = 110  # of lines that go to a file or a pipe
_BAR_WIDTH = 12  # the rate and the loss fit into 80 columns beside it


@contextmanager
def library_output_to(
    log: Path, option: str = "--out", place: str | Path = ""
) -> Iterator[Console]:
    """Sends all that libraries print to a file; yields the user's console.

    TensorFlow and Beam also write to the process's own file descriptors, from C++, so
    these are redirected and not only `sys.stdout`.

    Args:
        log: The file.
        option: The option by which the user named where the body writes.
        place: What was given for it; by default the file's folder.

    Raises:
        click.ClickException: Instead of any error of the body: its message, and the
            file that has the details. The log cannot be written, or the disk is full.
    """
    place = place or log.parent
    with opening(option, place):
        log.parent.mkdir(parents=True, exist_ok=True)
        file = open(log, "a", buffering=1, encoding="utf-8")  # noqa: SIM115  (closed below)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    terminal = os.fdopen(os.dup(kept[0]), "w", buffering=1)
    width = None if terminal.isatty() else _PLAIN_WIDTH
    console = Console(file=terminal, highlight=False, width=width)
    try:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        logging.captureWarnings(True)
        try:
            with warnings.catch_warnings(), writing(option, place):
                yield console
        except click.ClickException:
            raise
        except Exception as error:
            with suppress(OSError):
                traceback.print_exc(file=file)
            message = f"{error_message(error)}\nDetails: {log}"
            raise click.ClickException(message) from error
    finally:
        with suppress(OSError):  # a full disk has been reported
            file.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in kept:
            os.close(descriptor)
        terminal.close()


def error_message(error: BaseException) -> str:
    """An error's message without what Beam adds to it."""
    text = str(error) or type(error).__name__
    text = text.split(" [while running '")[0]
    known = isinstance(error, (ValueError, OSError))
    return text if known else f"{type(error).__name__}: {text}"


class ComponentProgress(logging.Handler):
    """Shows TFX components as they start and finish, and our own progress lines.

    Args:
        console: Where to show them.
        total: Components of the pipeline.
    """

    def __init__(self, console: Console, total: int):
        super().__init__(logging.INFO)
        self._console = console
        self._total = total
        self._done = 0
        self._started = time.monotonic()
        self._name = ""
        self._status = console.status("")

    def emit(self, record: logging.LogRecord) -> None:
        """Handles one log record of TFX's runner or of `pipeline.progress`."""
        from pipeline.progress import LOGGER_NAME

        if record.name == LOGGER_NAME:
            self._console.print(
                f"        {record.getMessage()}", style="dim", markup=False
            )
        elif record.msg == "Component %s is running.":
            self._name = record.getMessage().split()[1]
            self._started = time.monotonic()
            self._status.update(f"{self._name} ...")
            self._status.start()
        elif record.msg == "Component %s is finished.":
            self._done += 1
            seconds = time.monotonic() - self._started
            self._status.stop()
            self._console.print(
                f"[{self._done:>2}/{self._total}] {self._name:<22} {seconds:6.1f} s",
                markup=False,
            )

    def _show(self, progress: LiveProgress | None) -> None:
        """Shows a `LiveProgress` beside the spinner; None shows the component."""
        shown = f"{self._name} ..." if progress is None else progress_bar(progress)
        self._status.update(shown)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listens to TFX's and our own loggers during a run."""
        from absl import logging as absl_logging

        from pipeline.progress import LOGGER_NAME, watched_by

        absl_logging.set_verbosity(absl_logging.INFO)
        loggers = [logging.getLogger(name) for name in ("absl", LOGGER_NAME)]
        for logger in loggers:
            logger.addHandler(self)
        # On a terminal that cannot move its cursor rich shows nothing in place.
        live = self._console.is_terminal and not self._console.is_dumb_terminal
        try:
            with watched_by(self._show) if live else nullcontext():
                yield
        finally:
            self._status.stop()
            for logger in loggers:
                logger.removeHandler(self)


def progress_bar(progress: LiveProgress) -> Table:
    """Where a long step is, as one line with a bar."""
    line = Table.grid(padding=(0, 1))
    bar = ProgressBar(
        progress.total, progress.done, width=_BAR_WIDTH, pulse=progress.total is None
    )
    facts = Text(", ".join(progress.facts), no_wrap=True, overflow="ellipsis")
    line.add_row(Text(progress.name, no_wrap=True), bar, facts)
    return line


def display_path(path: Path) -> str:
    """A path as a user would type it: relative if it lies in the working folder."""
    working = Path.cwd()
    absolute = path.absolute()
    inside = absolute.is_relative_to(working)
    return str(absolute.relative_to(working) if inside else path)
