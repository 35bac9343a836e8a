"""Progress lines: said deep inside a run, shown wherever the run is watched."""

from __future__ import annotations

import logging

LOGGER_NAME = "poso.progress"

_logger = logging.getLogger(LOGGER_NAME)
_logger.setLevel(logging.INFO)


def report_progress(message: str) -> None:
    """Says how far a long step has come."""
    _logger.info(message)
