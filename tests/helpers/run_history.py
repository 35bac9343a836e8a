"""Runs of a pipeline as ML Metadata has them, without running one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

LIVE = pb.Artifact.LIVE
COMPLETE, CACHED, FAILED = (
    pb.Execution.COMPLETE,
    pb.Execution.CACHED,
    pb.Execution.FAILED,
)


class RunHistory:
    """Writes runs to a store, component by component.

    Args:
        metadata: The sqlite file; None keeps the store in memory.
        root: Where artifacts lie, if they are files; one holds a file of 1000 bytes.
    """

    def __init__(self, metadata: Path | None = None, root: Path | None = None):
        connection = pb.ConnectionConfig()
        if metadata is None:
            connection.fake_database.SetInParent()
        else:
            connection.sqlite.filename_uri = str(metadata)
        self.store = metadata_store.MetadataStore(connection)
        self._root = root
        self._run = None
        self._pipeline = self._context("pipeline", "poso")

    def begin(self, name: str) -> None:
        """Begins another run; what follows belongs to it."""
        self._run = self._context("pipeline_run", name)

    def add(
        self,
        node: str,
        outputs: Mapping[str, str | int],
        inputs: Sequence[int] = (),
        state: int = COMPLETE,
        parameters: Mapping[str, str] | None = None,
        **properties: Any,
    ) -> dict[str, int]:
        """Runs a component.

        Args:
            node: Its id.
            outputs: Types of new artifacts by output, or ids of cached ones.
            inputs: Ids of artifacts.
            state: Of the execution.
            parameters: Of the component.
            properties: Custom properties of the new artifacts.

        Returns:
            Ids of the artifacts by output.
        """
        kind = self.store.put_execution_type(pb.ExecutionType(name=f"poso.{node}"))
        execution = pb.Execution(type_id=kind, last_known_state=state)
        for key, text in (parameters or {}).items():
            execution.custom_properties[key].string_value = text
        [execution_id] = self.store.put_executions([execution])
        contexts = (self._pipeline, self._run, self._context("node", f"poso.{node}"))
        self.store.put_attributions_and_associations(
            [],
            [pb.Association(execution_id=execution_id, context_id=c) for c in contexts],
        )
        made = {
            output: self._artifact(node, output, execution_id, kind, properties)
            if isinstance(kind, str)
            else kind
            for output, kind in outputs.items()
        }
        events = [
            pb.Event(artifact_id=i, execution_id=execution_id, type=pb.Event.INPUT)
            for i in inputs
        ]
        for output, id_ in made.items():
            event = pb.Event(
                artifact_id=id_, execution_id=execution_id, type=pb.Event.OUTPUT
            )
            event.path.steps.add().key = output
            events.append(event)
        self.store.put_events(events)
        return made

    def artifact(self, id_: int) -> pb.Artifact:
        """A stored artifact."""
        [found] = self.store.get_artifacts_by_id([id_])
        return found

    def _artifact(
        self, node: str, output: str, execution: int, kind: str, properties: Any
    ) -> int:
        kind_id = self.store.put_artifact_type(pb.ArtifactType(name=kind))
        place = f"{node}/{output}/{execution}"
        if self._root is not None:
            (self._root / place).mkdir(parents=True)
            (self._root / place / "data").write_bytes(b"\0" * 1000)
        artifact = pb.Artifact(type_id=kind_id, uri=f"{self._root}/{place}", state=LIVE)
        for key, value in properties.items():
            if isinstance(value, int):
                artifact.custom_properties[key].int_value = value
            else:
                artifact.custom_properties[key].string_value = value
        return int(self.store.put_artifacts([artifact])[0])

    def _context(self, kind: str, name: str) -> int:
        kind_id = self.store.put_context_type(pb.ContextType(name=kind))
        found = self.store.get_context_by_type_and_name(kind, name)
        if found is not None:
            return int(found.id)
        return int(self.store.put_contexts([pb.Context(type_id=kind_id, name=name)])[0])


def daily_run(
    history: RunHistory,
    day: str,
    *,
    earlier: Mapping[str, int] | None = None,
    blessed: bool = True,
    version: str = "",
    until: str = "",
    files: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, int]:
    """A run of a day, as the pipeline makes it.

    Args:
        history: Where it is written.
        day: The last day of its examples; also the run's name.
        earlier: What the run of the day before returned.
        blessed: Whether the model is.
        version: The version that is pushed; "" of none.
        until: The component that fails.
        files: JSON files by component, then by name, of the artifact of each.

    Returns:
        Ids of its artifacts by component.
    """
    made: dict[str, int] = {}
    before = [earlier["ImpressionExampleGen"]] if earlier else []
    base = [earlier["Trainer"]] if earlier else []
    history.begin(f"run-of-{day}")
    steps: list[tuple[str, str, str, Any, dict[str, Any]]] = [
        ("ImpressionExampleGen", "examples", "Examples", lambda: before, _days(day)),
        ("Transform", "transform_graph", "TransformGraph", lambda: _newest(made), {}),
        ("Trainer", "model", "Model", lambda: [*_newest(made), *base], {}),
        (
            "Evaluator",
            "blessing",
            "ModelBlessing",
            lambda: [made["Trainer"]],
            {"blessed": int(blessed)},
        ),
        (
            "Pusher",
            "pushed_model",
            "PushedModel",
            lambda: [made["Trainer"]],
            {"pushed_version": version, "pushed": 1} if version else {},
        ),
        ("ReportGen", "report", "poso.Report", lambda: [made["Trainer"]], {}),
    ]
    for node, output, kind, inputs, properties in steps:
        if node == "Evaluator":
            properties["current_model_id"] = made["Trainer"]
        if node == until:
            history.add(node, {}, inputs(), state=FAILED)
            return made
        ids = history.add(node, {output: kind}, inputs(), **properties)
        made[node] = ids[output]
        for name, values in (files or {}).get(node, {}).items():
            place = Path(history.artifact(made[node]).uri) / name
            place.write_text(json.dumps(values))
    return made


def _days(day: str) -> dict[str, Any]:
    return {"first_day": day, "last_day": day} if day[:1].isdigit() else {}


def _newest(made: Mapping[str, int]) -> list[int]:
    return list(made.values())[-1:]
