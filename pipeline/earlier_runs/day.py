"""What a day goes on from: examples and vocabularies of the last day before it."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.common.resolver import ResolverStrategy

from pipeline.earlier_runs.lineage import Lineage, last_day
from pipeline.examples.places import LAST_DAY, OF_A_DATE

EXAMPLES, GRAPH = "examples", "transform_graph"


class EarlierDayStrategy(ResolverStrategy):
    """The newest examples that end before a day, and the newest Transform of such.

    Only runs of a date count: what a run over some log has left goes on from nothing.
    Of a day that was run twice it is the later run's; before the first run there are
    none. The inputs are `examples` and `transform_graph`, all artifacts of these types:
    examples that Transform has written have no days.

    Args:
        before: The day, `2022-05-02`.
    """

    def __init__(self, before: str):
        self._before = before

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[Any]]
    ) -> dict[str, list[Any]]:
        """One artifact of each, or none."""
        lineage = Lineage(store)
        ends = {
            EXAMPLES: [
                artifact.get_string_custom_property(LAST_DAY)
                if artifact.get_string_custom_property(OF_A_DATE)
                else ""
                for artifact in input_dict[EXAMPLES]
            ],
            GRAPH: [
                ""
                if (made_of := lineage.examples_of(a.id)) is None
                else last_day(made_of)
                for a in input_dict[GRAPH]
            ],
        }
        return {
            name: self._newest(input_dict[name], of_name)
            for name, of_name in ends.items()
        }

    def _newest(self, artifacts: list[Any], ends: list[str]) -> list[Any]:
        earlier = [
            (end, artifact.id, artifact)
            for end, artifact in zip(ends, artifacts, strict=True)
            if "" < end < self._before
        ]
        return [max(earlier)[2]] if earlier else []
