"""Brings the records of a run folder in line with what lies in it.

ML Metadata has the absolute place of every artifact. A folder that was moved or copied
has other places, and of one that was tidied up some are gone. Records of what is gone
are marked as deleted: TFX then makes it again where it is needed, and takes no such
model for the last blessed one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2

from pipeline.earlier_runs.lineage import nodes_by_execution
from pipeline.runners.metadata_file import open_store
from pipeline.runners.run_paths import RunPaths

_LIVE = metadata_store_pb2.Artifact.LIVE
_DELETED = metadata_store_pb2.Artifact.DELETED


def settle_records(paths: RunPaths) -> list[str]:
    """Corrects the records of a run folder before a run.

    Args:
        paths: The run's folder (`run_folder.check_run_folder`); nothing happens in a
            new one.

    Returns:
        What was found, for people to read.

    Raises:
        RunFolderError: The records cannot be read.
    """
    if not paths.metadata.exists():
        return []
    store = open_store(paths.metadata)
    root = paths.pipeline_root.resolve()
    blessed = last_blessed(store)
    notes, changed, gone = [], [], []
    moved_from = ""
    made = _made_files(paths)
    unpushed = _lost_push(store, paths)
    for artifact in store.get_artifacts():
        if artifact.state != _LIVE:
            continue
        place = Path(artifact.uri)
        name = "/".join(place.parts[-3:])  # component, output, execution
        if place != root / name:
            moved_from = str(place.parents[2])
            artifact.uri = str(root / name)
            changed.append(artifact)
        if artifact.id == unpushed or not _is_whole(root / name, made.get(name)):
            artifact.state = _DELETED
            gone.append(artifact)
    if moved_from:
        notes.append(
            f"the run folder was moved or copied here from {moved_from}: its records "
            "were set right, and components run again whose parameters name places"
        )
    if gone:
        notes.append(f"gone, and made again where it is needed: {_summary(gone, root)}")
    if any(artifact.id == blessed for artifact in gone):
        notes.append(
            "the last blessed model is gone: the next one is compared with the one "
            "blessed before it, or with nothing if there is none"
        )
    store.put_artifacts([*changed, *(a for a in gone if a not in changed)])
    return notes


def note_made_files(paths: RunPaths) -> None:
    """Notes files and sizes of every artifact: missing or short ones are noticed."""
    root = paths.pipeline_root.resolve()
    made = {
        "/".join(place.parts[-3:]): _files(place)
        for artifact in open_store(paths.metadata).get_artifacts()
        if artifact.state == _LIVE and (place := Path(artifact.uri)).is_dir()
    }
    text = json.dumps(made, indent=0)
    (root / _MADE_FILES).write_text(text, encoding="utf-8")


_MADE_FILES = "files.json"


def newest_run(store: Any) -> Any | None:
    """The record (a `Context`) of the run that began last; None before the first."""
    runs = store.get_contexts_by_type("pipeline_run")
    return max(runs, key=lambda run: run.id, default=None)


def outputs_of(store: Any, run: Any) -> dict[str, dict[str, Any]]:
    """The artifacts of a run by node and output name, also those that it reused."""
    found: dict[str, dict[str, Any]] = {}
    nodes = nodes_by_execution(store)
    for execution in store.get_executions_by_context(run.id):
        names = {
            event.artifact_id: event.path.steps[0].key
            for event in store.get_events_by_execution_ids([execution.id])
            if event.type == metadata_store_pb2.Event.OUTPUT
        }
        found[nodes.get(execution.id, "")] = {
            names[artifact.id]: artifact
            for artifact in store.get_artifacts_by_id(list(names))
        }
    return found


# Bytes of an artifact's files; None where an earlier release noted names alone.
_Sizes = Mapping[str, int | None]


def _made_files(paths: RunPaths) -> dict[str, _Sizes]:
    """Files by artifact; empty if they were not noted."""
    place = paths.pipeline_root / _MADE_FILES
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        return {
            artifact: files if isinstance(files, dict) else dict.fromkeys(files)
            for artifact, files in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _is_whole(place: Path, made: _Sizes | None) -> bool:
    if made is None:
        return place.exists()
    return place.exists() and all(
        (place / name).exists() and size in (None, (place / name).stat().st_size)
        for name, size in made.items()
    )


def _files(place: Path) -> _Sizes:
    found = sorted(file for file in place.rglob("*") if file.is_file())
    return {str(file.relative_to(place)): file.stat().st_size for file in found}


def _lost_push(store: Any, paths: RunPaths) -> int:
    """The id of the newest pushed model if `serving/` lacks it; 0 if all is well.

    Older ones may have been removed on purpose.
    """
    pushes = {
        artifact.id: version
        for artifact in store.get_artifacts_by_type("PushedModel")
        if (version := _property(artifact, "pushed_version").string_value)
    }
    newest = max(pushes, default=0)
    return newest if newest and not (paths.serving / pushes[newest]).exists() else 0


def last_blessed(store: Any) -> int:
    """The id of the last blessed model; 0 before the first."""
    models = [
        _property(blessing, "current_model_id").int_value
        for blessing in store.get_artifacts_by_type("ModelBlessing")
        if _property(blessing, "blessed").int_value == 1
    ]
    return max(models, default=0)


def _property(artifact: Any, name: str) -> Any:
    """A custom property, empty if it is not there; the map itself would make one."""
    known = artifact.custom_properties
    return known[name] if name in known else metadata_store_pb2.Value()


def _summary(gone: list[Any], root: Path) -> str:
    counts = Counter(Path(artifact.uri).relative_to(root).parts[0] for artifact in gone)
    return ", ".join(
        component if count == 1 else f"{component} ({count} outputs)"
        for component, count in counts.items()
    )
