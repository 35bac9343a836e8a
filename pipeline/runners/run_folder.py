"""Whether a folder may be a run's: nothing in it is replaced that no run made.

A run adds to `pipeline/`, `serving/` and `metadata.sqlite` what it goes on with later,
and replaces `rejects/` and `requests/`. Other files beside them stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.runners.metadata_file import RunFolderError, is_ours
from pipeline.runners.run_paths import RunPaths
from preprocessing.engine.earlier_output import foreign_rejects


def check_run_folder(paths: RunPaths) -> None:
    """Checks that a run in this folder would touch nothing but an earlier run's files.

    Args:
        paths: The run's folder, which may be there or not.

    Raises:
        RunFolderError: Something else lies where the run's files go, or there are
            artifacts without records; the message names it.
    """
    if paths.metadata.exists() and not is_ours(paths.metadata):
        raise RunFolderError(_in_the_way(paths.metadata))
    if not paths.metadata.exists() and _names(paths.pipeline_root):
        raise RunFolderError(
            f"{paths.pipeline_root} is there, but not {paths.metadata}, which says "
            "what it holds: give another --out, or remove that folder"
        )
    for place in _foreign(paths, known=paths.metadata.exists()):
        raise RunFolderError(_in_the_way(place))


def _in_the_way(place: Path) -> str:
    return (
        f"{place} was not made by an earlier run, and a run's own files go there: "
        "give another --out, or move it away"
    )


def _foreign(paths: RunPaths, known: bool) -> Iterator[Path]:
    """What lies where a run writes. A run that was here is known by its metadata."""
    for name in foreign_rejects(str(paths.rejects)):
        yield paths.rejects / name
    for place in (paths.pipeline_root, paths.serving, paths.requests):
        if place.exists() and not place.is_dir():
            yield place
    if known:
        return
    # Pushed models may outlive the records of the runs that made them.
    kept = (n for n in _names(paths.serving) if not n.isdigit())
    for folder, names in (
        (paths.serving, kept),
        (paths.rejects, _names(paths.rejects)),
        (paths.requests, _names(paths.requests)),
    ):
        for name in names:
            yield folder / name


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []
