"""The examples that a day's run goes on from: those of the last day before it."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.common.resolver import ResolverStrategy

from pipeline.earlier_runs.lineage import LAST_DAY

EXAMPLES = "examples"


class EarlierExamplesStrategy(ResolverStrategy):
    """The newest examples that end before a day; none before the first run.

    Of a day that was run twice it is the later run's. The input is `examples`, all
    artifacts of that type: those that Transform has written have no days.

    Args:
        before: The day, `2022-05-02`.
    """

    def __init__(self, before: str):
        self._before = before

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[Any]]
    ) -> dict[str, list[Any]]:
        """One artifact of examples, or none."""
        ends = [
            (artifact.get_string_custom_property(LAST_DAY), artifact.id, artifact)
            for artifact in input_dict[EXAMPLES]
        ]
        earlier = [end for end in ends if "" < end[0] < self._before]
        return {EXAMPLES: [max(earlier)[2]] if earlier else []}
