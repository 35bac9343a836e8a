"""What an artifact was made of, and in which runs it was used."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from ml_metadata.proto import metadata_store_pb2

from pipeline.examples.places import LAST_DAY

_FIRST = "ImpressionExampleGen"  # it may read the examples of the day before

_INPUT = metadata_store_pb2.Event.INPUT
_OUTPUT = metadata_store_pb2.Event.OUTPUT


class Lineage:
    """Looks backwards from artifacts in the records of a pipeline.

    Args:
        store: The `ml_metadata.MetadataStore`.
    """

    def __init__(self, store: Any):
        self._store = store

    def examples_of(self, artifact_id: int) -> Any | None:
        """The raw examples that an artifact was made of; None if there are none.

        They are those of the pipeline's first component, and not those that Transform
        writes. An earlier model that was started from is not looked into.

        Args:
            artifact_id: Of a model, of statistics or of such examples themselves.
        """
        seen, ids = set[int](), {artifact_id}
        while ids:
            found = self._store.get_artifacts_by_id(sorted(ids))
            for artifact in found:
                if artifact.type == "Examples" and self.node_of(artifact.id) == _FIRST:
                    return artifact
            seen |= ids
            ids = {a.id for a in found if a.type != "Model" or a.id == artifact_id}
            ids = self._inputs_of(ids) - seen
        return None

    def runs_of(self, artifact_id: int) -> set[int]:
        """Ids of the pipeline runs that made an artifact or took it from the cache."""
        events = self._store.get_events_by_artifact_ids([artifact_id])
        executions = {e.execution_id for e in events if e.type == _OUTPUT}
        return {
            context.id
            for execution in executions
            for context in self._store.get_contexts_by_execution(execution)
            if context.type == "pipeline_run"
        }

    def node_of(self, artifact_id: int) -> str:
        """The id of the pipeline's node that made an artifact."""
        for event in self._store.get_events_by_artifact_ids([artifact_id]):
            if event.type == _OUTPUT and event.execution_id in self._nodes:
                return self._nodes[event.execution_id]
        return ""

    @cached_property
    def _nodes(self) -> dict[int, str]:
        return nodes_by_execution(self._store)

    def _inputs_of(self, artifact_ids: Iterable[int]) -> set[int]:
        made = self._store.get_events_by_artifact_ids(list(artifact_ids))
        executions = {e.execution_id for e in made if e.type == _OUTPUT}
        if not executions:
            return set()
        events = self._store.get_events_by_execution_ids(list(executions))
        return {e.artifact_id for e in events if e.type == _INPUT}


def nodes_by_execution(store: Any) -> dict[int, str]:
    """The pipeline's node of each execution; its context is named `pipeline.node`."""
    return {
        execution.id: str(context.name.split(".", 1)[1])
        for context in store.get_contexts_by_type("node")
        for execution in store.get_executions_by_context(context.id)
    }


def is_earlier(one: Any, other: Any) -> bool:
    """Whether some examples are of earlier days than others.

    Where either has no days, as of a log that is split by users: whether they were made
    before.

    Args:
        one: An `Examples` artifact of the store.
        other: Another, or the same.
    """
    days = last_day(one), last_day(other)
    return days[0] < days[1] if all(days) else one.id < other.id


def last_day(examples: Any) -> str:
    """The last day of an `Examples` artifact, `2022-05-02`; empty if it has none."""
    properties = examples.custom_properties
    return str(properties[LAST_DAY].string_value) if LAST_DAY in properties else ""
