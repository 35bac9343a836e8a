"""The statistics that a run's are compared with."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.common.resolver import ResolverStrategy

from pipeline.earlier_runs.lineage import Lineage, is_earlier, last_day

EXAMPLES, STATISTICS = "examples", "statistics"


class EarlierStatisticsStrategy(ResolverStrategy):
    """The newest statistics of earlier examples than today's (`lineage.is_earlier`).

    They are those of the last day before, or, of examples without days, of the run
    before. Statistics of today's own examples are passed over, so that a run in which
    nothing has changed, or a day that is run again, is compared with the same as ever.

    The inputs are `examples`, today's, and `statistics`, all of them.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[Any]]
    ) -> dict[str, list[Any]]:
        """One artifact of statistics, or none."""
        nothing: dict[str, list[Any]] = {name: [] for name in input_dict}
        if not input_dict[EXAMPLES]:
            return nothing
        lineage = Lineage(store)
        today = lineage.examples_of(input_dict[EXAMPLES][0].id)
        earlier = [
            (last_day(examples), artifact.id, artifact)
            for artifact in input_dict[STATISTICS]
            if (examples := lineage.examples_of(artifact.id)) is not None
            and is_earlier(examples, today)
        ]
        return nothing | ({STATISTICS: [max(earlier)[2]]} if earlier else {})
