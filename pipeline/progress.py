"""Progress: said deep inside a run, shown wherever the run is watched."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LOGGER_NAME = "poso.progress"

_logger = logging.getLogger(LOGGER_NAME)
_logger.setLevel(logging.INFO)


@dataclass(frozen=True)
class LiveProgress:
    """Where a long step is, shown in place on a terminal.

    Attributes:
        name: What is being done.
        done: How much of it.
        total: Of how much; None if it is not known.
        facts: What else there is to say: a rate, a loss, the time left.
    """

    name: str
    done: int
    total: int | None
    facts: tuple[str, ...] = ()


def report_progress(message: str) -> None:
    """Says how far a long step has come."""
    _logger.info(message)


Show = Callable[[LiveProgress | None], None]
_watchers: list[Show] = []


@contextmanager
def watched_by(show: Show) -> Iterator[None]:
    """Within the context, `show` is given what `report_live` says."""
    _watchers.append(show)
    try:
        yield
    finally:
        _watchers.remove(show)


def is_watched() -> bool:
    """Whether a terminal shows what `report_live` says."""
    return bool(_watchers)


def report_live(progress: LiveProgress | None) -> None:
    """Shows progress in place of what was shown before; None takes it away."""
    for show in _watchers:
        show(progress)
