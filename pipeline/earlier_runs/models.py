"""The models that a run's models start from (`training.warm_start`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfx.dsl.components.common.resolver import ResolverStrategy

from pipeline.earlier_runs.lineage import Lineage, is_earlier, last_day

EXAMPLES, BLESSING, MODEL, CURRENT = (
    "examples",
    "model_blessing",
    "model",
    "current_model",
)


class EarlierModelsStrategy(ResolverStrategy):
    """The last blessed model of earlier examples, and its run's other models.

    TFX's own strategy takes the last blessed model there is: of a day that is run again
    that would be the day's own, which has seen what it is to be trained on. Here
    "earlier" is by the examples that a model was made of (`lineage.is_earlier`).

    The others are those to compare with, of the same run, so that all start from the
    same days. If that run has not trained all of them, the next one before it is taken.

    The inputs are `examples`, today's; `model`, all models; `model_blessing`, all
    blessings; and `NAME_model` for each name, again all models.

    Args:
        nodes: By the names of the inputs, `NAME_model`, the nodes that train them.
    """

    def __init__(self, nodes: dict[str, str]):
        self._nodes = nodes

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[Any]]
    ) -> dict[str, list[Any]]:
        """One model of each name, or none at all."""
        nothing: dict[str, list[Any]] = {name: [] for name in input_dict}
        if not input_dict[EXAMPLES]:
            return nothing
        lineage = Lineage(store)
        today = lineage.examples_of(input_dict[EXAMPLES][0].id)
        models = {artifact.id: artifact for artifact in input_dict[MODEL]}
        candidates = []
        for blessing in input_dict[BLESSING]:
            model = models.get(blessing.get_int_custom_property("current_model_id"))
            if model is None or blessing.get_int_custom_property("blessed") != 1:
                continue
            examples = lineage.examples_of(model.id)
            if examples is not None and is_earlier(examples, today):
                candidates.append((last_day(examples), model.id))
        for _, model_id in sorted(candidates, reverse=True):
            others = self._of_the_same_run(lineage, model_id, list(models))
            if others is not None:
                found = {MODEL: model_id, **others}
                return nothing | {name: [models[id_]] for name, id_ in found.items()}
        return nothing

    def _of_the_same_run(
        self, lineage: Lineage, model_id: int, model_ids: Sequence[int]
    ) -> dict[str, int] | None:
        """The newest model of each other node in this one's runs; None if one lacks."""
        if not self._nodes:
            return {}
        runs = lineage.runs_of(model_id)
        by_node: dict[str, int] = {}
        for id_ in sorted(model_ids):
            if runs & lineage.runs_of(id_):
                by_node[lineage.node_of(id_)] = id_
        if not set(self._nodes.values()) <= by_node.keys():
            return None
        return {name: by_node[node] for name, node in self._nodes.items()}


class LastBlessedOtherStrategy(ResolverStrategy):
    """The last blessed model that is another than today's.

    TFX's own strategy takes today's model itself once it is blessed. A run in which
    nothing has changed would then compare it with itself, and so run Evaluator, and
    all that reads its verdict, once more.

    The inputs are `current_model`, today's; `model`, all models; and `model_blessing`,
    all blessings.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[Any]]
    ) -> dict[str, list[Any]]:
        """One model, or none."""
        models = {artifact.id: artifact for artifact in input_dict[MODEL]}
        today = {artifact.id for artifact in input_dict[CURRENT]}
        others = [
            (blessing.id, model)
            for blessing in input_dict[BLESSING]
            if blessing.get_int_custom_property("blessed") == 1
            and (model := blessing.get_int_custom_property("current_model_id"))
            in models.keys() - today
        ]
        nothing: dict[str, list[Any]] = {name: [] for name in input_dict}
        return nothing | ({MODEL: [models[max(others)[1]]]} if others else {})
