"""Tells what an earlier run made in an output folder from what is somebody else's.

A whole output lists its files in `summary.json`. Without such a list, because the run
was killed or is of an earlier release, a file counts as ours if it has a name that we
give and holds what we write under it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.column_names import EVENT_TIME, USER_ID, VIDEO_ID
from preprocessing.engine.outputs import FEATURES, REJECTS, STATE
from preprocessing.state.files import (
    INFO_FILE,
    RATE_STATE,
    USER_STATE,
    VIDEO_STATE,
)
from preprocessing.state.rates import DAY, KEY, OTHER, SUBJECT
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.storage.files import (
    SourceError,
    is_remote,
    join,
    list_files,
    local_path,
    read_text,
    shown_name,
)
from preprocessing.storage.parquet import open_parquet

SUMMARY_FILE = "summary.json"
FILES_KEY = "files"  # of the summary: names of the output's files
STAGING = "_incomplete"
PARTS = (FEATURES, REJECTS, STATE)

_STATE_INFO = f"{STATE}/{INFO_FILE}"
_SHARD = r"-\d{5,}(-of-\d{5,})?\.parquet"
# What we write under a name: a table's columns; others may stand beside them.
_TABLES = {
    rf"{FEATURES}/part{_SHARD}": {USER_ID, VIDEO_ID, EVENT_TIME, "avc", "user_group"},
    rf"{REJECTS}/(part|rejects){_SHARD}": set(REJECT_SCHEMA.names),
    rf"{STATE}/{USER_STATE}/part{_SHARD}": set(USER_STATE_SCHEMA.names),
    rf"{STATE}/{VIDEO_STATE}/part{_SHARD}": set(VIDEO_STATE_SCHEMA.names),
    rf"{STATE}/{RATE_STATE}/part{_SHARD}": {SUBJECT, KEY, OTHER, DAY},
}
_DESCRIPTIONS = {
    SUMMARY_FILE: {"rows_in", "examples", "by_reason"},
    _STATE_INFO: {"through_ms", "history_of", "format"},
}
# What a killed run may have left half-written, so that its names have to do: tables,
# Beam's temporary files beside them, and shards that wait on the disk.
_UNFINISHED = "|".join(
    [
        *_TABLES,
        _STATE_INFO,
        rf"{REJECTS}/{SUMMARY_FILE}",
        rf"({FEATURES}|{REJECTS}|{STATE}/\w+)/beam-temp-.+",
        r"tmp\w{8}/by-(video|user|subject)/\d{5,}\.arrows",
    ]
)
_PIPELINE_REJECTS = rf"rejects{_SHARD}|{SUMMARY_FILE}|split_counts\.json|beam-temp-.+"
_NAMED = 3


class OutputFolderError(ValueError):
    """An output folder that holds what we did not make; the message names it."""


def check_replaceable(out_dir: str) -> None:
    """Checks that a run would replace nothing but what an earlier one made.

    Args:
        out_dir: Folder of the output: a path or a URI.

    Raises:
        OutputFolderError: A file in it is none of ours, and where ours would go.
        SourceError: The folder cannot be listed.
    """
    foreign = _links(out_dir) or sorted(
        {*_foreign_results(out_dir), *_foreign_leftovers(out_dir)}
    )
    if not foreign:
        return
    more = len(foreign) - _NAMED
    names = ", ".join(shown_name(join(out_dir, name)) for name in foreign[:_NAMED])
    raise OutputFolderError(
        f"{names}{f' and {more:,} more' if more > 0 else ''}: not made by an earlier "
        f"run, and in the way, because the output is {FEATURES}/, {REJECTS}/, {STATE}/ "
        f"and {SUMMARY_FILE}. Choose another folder, or move away what is in this one"
    )


def foreign_rejects(rejects_dir: str) -> list[str]:
    """Files among a pipeline run's rejects that no run of the pipeline has written.

    Args:
        rejects_dir: Folder of the rejects: a path or a URI; may be missing.

    Returns:
        Their names, sorted; `[""]` for a file or a link in the folder's place.

    Raises:
        SourceError: The folder cannot be listed.
    """
    if not is_remote(rejects_dir) and os.path.islink(local_path(rejects_dir)):
        return [""]
    names = list_files(rejects_dir) or ()
    return sorted(n for n in names if not re.fullmatch(_PIPELINE_REJECTS, n))


def _links(out_dir: str) -> list[str]:
    """What is somewhere else and only linked to: somebody wanted it there."""
    if is_remote(out_dir):
        return []
    places = (*PARTS, SUMMARY_FILE, STAGING)
    return [p for p in places if os.path.islink(local_path(join(out_dir, p)))]


def _foreign_results(out_dir: str) -> Iterator[str]:
    listed: set[str] | None = None
    if list_files(join(out_dir, SUMMARY_FILE)) is not None:
        summary = _description(out_dir, SUMMARY_FILE)
        if summary is None:
            yield SUMMARY_FILE
        elif isinstance(summary.get(FILES_KEY), list):
            listed = set(map(str, summary[FILES_KEY]))
    for name in _names(out_dir, PARTS):
        if not (_is_ours(out_dir, name) if listed is None else name in listed):
            yield name


def _foreign_leftovers(out_dir: str) -> Iterator[str]:
    for name in _names(out_dir, (STAGING,)):
        if not re.fullmatch(_UNFINISHED, name.removeprefix(f"{STAGING}/")):
            yield name


def _names(out_dir: str, folders: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        for name in list_files(join(out_dir, folder)) or ():
            yield join(folder, name) if name else folder


def _is_ours(out_dir: str, name: str) -> bool:
    if name == _STATE_INFO:
        return _description(out_dir, name) is not None
    for pattern, columns in _TABLES.items():
        if re.fullmatch(pattern, name):
            return columns <= _columns(join(out_dir, name))
    return False


def _columns(path: str) -> set[str]:
    try:
        with open_parquet(path) as parquet:
            return set(parquet.schema_arrow.names)
    except SourceError:
        return set()


def _description(out_dir: str, name: str) -> dict[str, Any] | None:
    """A JSON file as we write it; None if it is none."""
    try:
        values = json.loads(read_text(join(out_dir, name)))
    except (OSError, ValueError, pa.ArrowException):
        return None
    known = isinstance(values, dict) and _DESCRIPTIONS[name] <= values.keys()
    return values if known else None
