"""The file of `poso users observe --rejects`: it replaces only earlier rejects."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING

from cli.disk_errors import opening, writing
from cli.user_store import state_place

if TYPE_CHECKING:
    from preprocessing.storage.overlap import Place

OPTION = "--rejects"


@contextmanager
def rejects_output(
    path: str | None, store: str, state_dir: str | None, *read: Place
) -> Iterator[IO[str] | None]:
    """Opens the file for writing, so that a place that will not do is found at once.

    Args:
        path: The file, "-" for standard output, or None for no rejects.
        store: The storage, which must not be the same file.
        state_dir: The state that is read, or None.
        read: What else is read.

    Yields:
        The open file; None without one.

    Raises:
        OverlapError: It lies in what is read, or is the storage.
        ValueError: It holds something else than earlier rejects.
        click.ClickException: It cannot be written.
    """
    from preprocessing.storage.overlap import check_apart, whole

    if path is None or path == "-":
        yield None if path is None else sys.stdout
        return
    if state_dir is not None:
        read = (*read, state_place("--state", state_dir))
    if "://" not in store:
        read = (*read, whole("--store", store))
    for place in read:
        check_apart(whole(OPTION, path), place)
    if not _is_replaceable(path):
        raise ValueError(
            f"{OPTION} {path} is there and holds no rejects: give another file, or "
            "move it away"
        )
    with writing(OPTION, path), ExitStack() as stack:
        with opening(OPTION, path):
            file = stack.enter_context(open(path, "w", encoding="utf-8"))
        yield file


def _is_replaceable(path: str) -> bool:
    """Whether there is no file, an empty one, or one of earlier rejects."""
    from preprocessing.checks.rejects import REJECT_SCHEMA

    if not os.path.isfile(path):  # devices and pipes replace nothing
        return True
    with open(path, "rb") as file:
        first = file.readline()
    try:
        row = json.loads(first or "null")
    except (ValueError, RecursionError):
        return False
    known = isinstance(row, dict) and row.keys() == set(REJECT_SCHEMA.names)
    return known or not first
