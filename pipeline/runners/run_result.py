"""What the newest run of a folder made, as ML Metadata records it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.types import artifact_utils, standard_artifacts

from pipeline.examples.day_split import EVAL
from pipeline.report.report import METRICS_FILE, PAGE_FILE
from pipeline.runners.run_paths import RunPaths

_OUTPUT = metadata_store_pb2.Event.OUTPUT


@dataclass(frozen=True)
class RunResult:
    """Where a finished run's artifacts are.

    Attributes:
        report: The report's page.
        metrics: The report's numbers.
        examples: Folder of the raw examples, one folder per split.
        model: The trained model's folder.
        pushed: The newest version that was pushed, or None before the first blessing.
    """

    report: Path
    metrics: dict[str, Any]
    examples: Path
    model: Path
    pushed: Path | None

    @property
    def eval_dir(self) -> Path:
        """Folder of the raw examples of the evaluation split."""
        artifact = standard_artifacts.Examples()
        artifact.uri = str(self.examples)
        artifact.split_names = artifact_utils.encode_split_names([EVAL])
        return Path(artifact_utils.get_split_uri([artifact], EVAL))


def read_result(paths: RunPaths) -> RunResult:
    """Finds the artifacts of the newest pipeline run in a run's folder.

    Raises:
        FileNotFoundError: The folder holds no finished run.
    """
    if not paths.metadata.exists():
        raise FileNotFoundError(
            f"{paths.out} holds no run: {paths.metadata} is missing"
        )
    uris = newest_outputs(paths.metadata)
    missing = {"ReportGen", "ImpressionExampleGen", "Trainer"} - uris.keys()
    if missing:
        raise FileNotFoundError(
            f"the newest run in {paths.out} did not finish: no output of "
            f"{', '.join(sorted(missing))}. Run it again to continue it."
        )
    report = Path(uris["ReportGen"]["report"])
    versions = [p for p in paths.serving.glob("*") if p.name.isdigit()]
    return RunResult(
        report=report / PAGE_FILE,
        metrics=json.loads((report / METRICS_FILE).read_text(encoding="utf-8")),
        examples=Path(uris["ImpressionExampleGen"]["examples"]),
        model=Path(uris["Trainer"]["model"]),
        pushed=max(versions, key=lambda p: int(p.name), default=None),
    )


def newest_outputs(metadata: Path) -> dict[str, dict[str, str]]:
    """Artifact URIs by node and output name, of the newest pipeline run."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(metadata)
    connection.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    )
    store = metadata_store.MetadataStore(connection)
    runs = store.get_contexts_by_type("pipeline_run")
    if not runs:
        return {}
    newest = max(runs, key=lambda run: run.id)
    executions = store.get_executions_by_context(newest.id)
    outputs: dict[str, dict[str, str]] = {}
    for execution in executions:
        events = store.get_events_by_execution_ids([execution.id])
        made = {
            event.artifact_id: event.path.steps[0].key
            for event in events
            if event.type == _OUTPUT
        }
        artifacts = {a.id: a.uri for a in store.get_artifacts_by_id(list(made))}
        outputs[_node_id(store, execution)] = {
            key: artifacts[id_] for id_, key in made.items()
        }
    return outputs


def _node_id(store: Any, execution: metadata_store_pb2.Execution) -> str:
    """The pipeline node of an execution; its context is named `pipeline.node`."""
    for context in store.get_contexts_by_execution(execution.id):
        if context.type == "node":
            return context.name.split(".", 1)[1]
    return ""
