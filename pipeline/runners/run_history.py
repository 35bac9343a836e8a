"""What the runs of a folder did, as ML Metadata and their reports have it.

Imports neither TensorFlow nor TFX, so that it answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.earlier_runs.lineage import nodes_by_execution
from pipeline.examples.places import SUMMARY_FILE
from pipeline.report.files import METRICS_FILE
from pipeline.runners.metadata_file import check_records, open_store
from pipeline.runners.run_paths import RunPaths

SLICES = ("all", "new")

_OUTPUT = pb.Event.OUTPUT
_DONE = (pb.Execution.COMPLETE, pb.Execution.CACHED)


@dataclass(frozen=True)
class RunRecord:
    """One run of the pipeline.

    Attributes:
        run: TFX's name of it.
        day: The last day of its examples, `2022-05-02`; None of a log without days.
        started_ms: When its first component began, UTC.
        seconds: From there to the end of its last component.
        state: `done`, `failed`, or `stopped`: killed, or still going.
        component: The one that failed, or the last that a stopped run came to.
        rows_in: Rows of the log; None if it did not come so far.
        rejects: Those of them that broke the contract.
        gauc: By task, then by slice (`SLICES`).
        blessed: Whether the model is; None of one that was not judged.
        not_pushed: Why it does not serve, in a word: `gauc`, `trial`, `unjudged` or
            the run's `state`; None of one that was pushed.
        version: The version that was pushed.
    """

    run: str
    day: str | None
    started_ms: int
    seconds: float
    state: str
    component: str | None
    rows_in: int | None = None
    rejects: int | None = None
    gauc: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    blessed: bool | None = None
    not_pushed: str | None = None
    version: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class RunHistory:
    """Reads the records of a run folder; nothing is written.

    Args:
        paths: The run's folder.

    Raises:
        FileNotFoundError: There are no records.
        RunFolderError: They are none of ours, or cannot be read.
    """

    def __init__(self, paths: RunPaths):
        check_records(paths.metadata)
        self._store = open_store(paths.metadata, read_only=True)
        self._paths = paths

    def runs(self) -> list[RunRecord]:
        """All runs, the oldest first."""
        contexts = self._store.get_contexts_by_type("pipeline_run")
        return [
            self._record(run, executions)
            for run in sorted(contexts, key=lambda context: context.id)
            if (executions := self._store.get_executions_by_context(run.id))
        ]

    def serves(self) -> str | None:
        """The newest version in `serving/`, which servers take."""
        versions = self._paths.versions
        return versions[-1].name if versions else None

    def _record(self, run: Any, executions: Iterable[Any]) -> RunRecord:
        by_time = sorted(executions, key=lambda execution: execution.id)
        nodes = {e.id: self._nodes.get(e.id, "") for e in by_time}
        began = min(e.create_time_since_epoch for e in by_time)
        ended = max(e.last_update_time_since_epoch for e in by_time)
        state, component = _state(by_time, nodes)
        outputs = self._outputs(nodes)
        metrics = self._json(outputs.get(("ReportGen", "report")), METRICS_FILE)
        examples = outputs.get(("ImpressionExampleGen", "examples"))
        data = metrics.get("data") or self._json(examples, SUMMARY_FILE)
        pushed = outputs.get(("Pusher", "pushed_model"))
        version = _property(pushed, "pushed_version") or None
        return RunRecord(
            run=run.name,
            day=_property(examples, "last_day") or None,
            started_ms=began,
            seconds=(ended - began) / 1000,
            state=state,
            component=component,
            rows_in=data.get("rows_in"),
            rejects=data.get("rejects"),
            gauc=_gauc(metrics),
            blessed=metrics.get("blessed"),
            not_pushed=None if version else _why_not(state, metrics),
            version=version,
        )

    @cached_property
    def _nodes(self) -> dict[int, str]:
        return nodes_by_execution(self._store)

    def _outputs(self, nodes: Mapping[int, str]) -> dict[tuple[str, str], Any]:
        """Artifacts of a run by node and output; of several the newest."""
        events = self._store.get_events_by_execution_ids(list(nodes))
        made = {
            (nodes[event.execution_id], event.path.steps[0].key): event.artifact_id
            for event in sorted(events, key=lambda event: event.execution_id)
            if event.type == _OUTPUT
        }
        found = self._store.get_artifacts_by_id(sorted(set(made.values())))
        by_id = {artifact.id: artifact for artifact in found}
        return {key: by_id[id_] for key, id_ in made.items()}

    def _json(self, artifact: Any | None, name: str) -> dict[str, Any]:
        """A file of an artifact; empty if it is gone."""
        if artifact is None:
            return {}
        # The folder may have been moved; the place in it is the same.
        place = self._paths.pipeline_root.joinpath(*Path(artifact.uri).parts[-3:])
        try:
            found = json.loads((place / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _state(
    executions: Iterable[Any], nodes: Mapping[int, str]
) -> tuple[str, str | None]:
    """The state of a run, and the component to name."""
    last = {nodes[e.id]: e for e in executions}  # of several, what came of the last
    for node, execution in last.items():
        if execution.last_known_state == pb.Execution.FAILED:
            return "failed", node
    done = {n for n, e in last.items() if e.last_known_state in _DONE}
    expected = {"ReportGen"} | ({"Pusher"} if "Evaluator" in last else set())
    if expected <= done and done == last.keys():
        return "done", None
    return "stopped", max(last, key=lambda node: last[node].id)


def _gauc(metrics: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for row in metrics.get("gauc", ()):
        if row["slice"] in SLICES:
            found.setdefault(row["task"], {})[row["slice"]] = row["gauc"].get("model")
    return found


def _why_not(state: str, metrics: Mapping[str, Any]) -> str:
    if state != "done":
        return state
    if metrics.get("blessed") is None:
        return "unjudged"
    return "trial" if metrics["blessed"] else "gauc"


def _property(artifact: Any | None, name: str) -> str:
    """A custom property, empty if it is not there; the map itself would make one."""
    if artifact is None or name not in artifact.custom_properties:
        return ""
    return str(artifact.custom_properties[name].string_value)
