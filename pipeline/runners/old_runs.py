"""Finds and removes what old runs have left in a run folder, but what is still needed.

Kept are: all that a kept run made or read; of every component the newest outputs, such
as the examples with the state that the next day goes on from; the last blessed model
and the others of its run, which the next is compared with or starts from; the newest
versions in `serving/`; and every report, which is small and holds the metrics.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.runners.metadata_file import open_store
from pipeline.runners.run_history import RunHistory, RunRecord
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_records import (
    last_blessed,
    note_made_files,
)

_REPORT = "poso.Report"
_CHECKPOINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class OldRuns:
    """What can be removed.

    Attributes:
        runs: The runs that are no longer kept, the oldest first.
        artifacts: Folders of their components' outputs.
        versions: Folders of pushed models.
        checkpoints: Folders of trainings that were not finished.
        records: Artifacts of the store whose folders these are.
    """

    runs: Sequence[RunRecord]
    artifacts: Sequence[Path]
    versions: Sequence[Path]
    checkpoints: Sequence[Path]
    records: Sequence[Any]

    @property
    def folders(self) -> tuple[Path, ...]:
        """All folders that are removed."""
        return (*self.artifacts, *self.versions, *self.checkpoints)

    @cached_property
    def size(self) -> int:
        """Bytes that removing the folders frees."""
        return freed_bytes(self.folders)


def find_old_runs(paths: RunPaths, keep: int) -> OldRuns:
    """Finds what can be removed; nothing is changed.

    Args:
        paths: The run's folder.
        keep: Days to keep, the newest, counted by runs that were finished; a run
            without a day counts for itself. Also, how many versions in `serving/`.

    Raises:
        FileNotFoundError: There are no records.
        RunFolderError: They are none of ours, or cannot be read.
    """
    history = RunHistory(paths)
    runs = history.runs()
    old = _beyond(runs, keep)
    store = open_store(paths.metadata, read_only=True)
    records = _Records(store, {run.run for run in runs[len(old) :]})
    needed = {_place(artifact) for artifact in records.needed()}
    folders = [
        folder
        for folder in sorted(
            chain(
                paths.pipeline_root.glob("*/*/*"),
                paths.pipeline_root.glob("*/.system/*/*"),
            )
        )
        if folder.name.isdigit()
        and folder.is_dir()
        and not records.is_kept(int(folder.name))
        and "/".join(folder.parts[-3:]) not in needed
    ]
    gone = {"/".join(folder.parts[-3:]) for folder in folders}
    return OldRuns(
        runs=old,
        artifacts=folders,
        versions=_old_versions(paths, runs, keep),
        checkpoints=_old_checkpoints(paths, runs[len(old) :]),
        records=[
            artifact
            for artifact in records.artifacts
            if artifact.state == pb.Artifact.LIVE and _place(artifact) in gone
        ],
    )


def remove_old_runs(paths: RunPaths, old: OldRuns) -> None:
    """Removes what was found; the caller holds the folder.

    Args:
        paths: The run's folder.
        old: `find_old_runs`, since when no run has gone on.
    """
    # First: a process that is killed meanwhile leaves folders that nothing names.
    for artifact in old.records:
        artifact.state = pb.Artifact.DELETED
    open_store(paths.metadata).put_artifacts(list(old.records))
    for folder in old.folders:
        shutil.rmtree(folder)
    note_made_files(paths)


def freed_bytes(folders: Iterable[Path]) -> int:
    """Bytes of the files that are gone when some folders are.

    A day's example files are links to those of the day before: a file that has another
    link elsewhere stays.
    """
    found = [file.lstat() for of in folders for file in of.rglob("*") if file.is_file()]
    links = Counter((file.st_dev, file.st_ino) for file in found)
    sizes = {
        (file.st_dev, file.st_ino): file.st_size
        for file in found
        if links[file.st_dev, file.st_ino] == file.st_nlink
    }
    return sum(sizes.values())


def _beyond(runs: Sequence[RunRecord], keep: int) -> Sequence[RunRecord]:
    """The runs before the newest `keep` days that were finished."""
    days: set[str] = set()
    for number, run in reversed(list(enumerate(runs))):
        day = run.day or run.run
        if run.state == "done" and day not in days:
            if len(days) == keep:
                return runs[: number + 1]
            days.add(day)
    return ()


class _Records:
    """What the store knows of artifacts.

    Args:
        store: Of ML Metadata.
        kept: Names of the runs that are kept.
    """

    def __init__(self, store: Any, kept: set[str]):
        self._store = store
        self.artifacts = sorted(store.get_artifacts(), key=lambda artifact: artifact.id)
        runs = {c.id: c for c in store.get_contexts_by_type("pipeline_run")}
        self._runs_of: dict[int, set[int]] = {}
        for run in runs:
            for execution in store.get_executions_by_context(run):
                self._runs_of.setdefault(execution.id, set()).add(run)
        self._kept = {id_ for id_, run in runs.items() if run.name in kept}
        executions = list(self._runs_of)
        self._events = store.get_events_by_execution_ids(executions) if runs else []

    def is_kept(self, execution: int) -> bool:
        """Whether an execution is of a kept run, or of none that is known."""
        runs = self._runs_of.get(execution, set())
        return not runs or bool(runs & self._kept)

    def needed(self) -> Iterable[Any]:
        """Artifacts that stay, whichever run made them."""
        ids = {e.artifact_id for e in self._events if self.is_kept(e.execution_id)}
        newest: dict[str, Any] = {}
        for artifact in self.artifacts:
            if artifact.state == pb.Artifact.LIVE:
                newest[_place(artifact).rsplit("/", 1)[0]] = artifact
        ids |= {artifact.id for artifact in newest.values()}
        ids |= self._of_the_last_blessed()
        # A model without its verdict is no longer one to be compared with.
        ids |= {a.id for a in self.artifacts if _judged_model(a) in ids}
        return [a for a in self.artifacts if a.id in ids or a.type == _REPORT]

    def _of_the_last_blessed(self) -> set[int]:
        """The last blessed model, its blessing, and all of its runs."""
        model = last_blessed(self._store)
        made = (e for e in self._events if e.type == pb.Event.OUTPUT)
        by_artifact: dict[int, set[int]] = {}
        for event in made:
            runs = self._runs_of[event.execution_id]
            by_artifact.setdefault(event.artifact_id, set()).update(runs)
        its_runs = by_artifact.get(model, set())
        types = ("Model", "ModelRun", "ModelBlessing")
        of_models = {a.id for a in self.artifacts if a.type in types}
        return {id_ for id_, runs in by_artifact.items() if runs & its_runs} & of_models


def _judged_model(artifact: Any) -> int:
    """The model that a blessing is of; -1 of anything else."""
    if artifact.type != "ModelBlessing":
        return -1
    properties = artifact.custom_properties
    known = "current_model_id" in properties
    return int(properties["current_model_id"].int_value) if known else -1


def _old_versions(
    paths: RunPaths, runs: Iterable[RunRecord], keep: int
) -> Sequence[Path]:
    """Versions that runs have pushed, beside the newest; others are the user's own."""
    pushed = {run.version for run in runs}
    return [place for place in paths.versions[:-keep] if place.name in pushed]


def _old_checkpoints(paths: RunPaths, kept: Sequence[RunRecord]) -> Sequence[Path]:
    """Those that no kept run has written to."""
    if not kept:
        return ()
    began = kept[0].started_ms / 1000
    return [
        place
        for place in sorted(paths.checkpoints.glob("*"))
        if _CHECKPOINT.fullmatch(place.name)
        and max(p.lstat().st_mtime for p in (place, *place.rglob("*"))) < began
    ]


def _place(artifact: Any) -> str:
    """Component, output and execution: the same wherever the run's folder is."""
    return "/".join(Path(artifact.uri).parts[-3:])
