"""TFX's Evaluator, which compares only what can be compared."""

from __future__ import annotations

from typing import Any

import tensorflow_model_analysis as tfma
import tfx.v1 as tfx
from tfx.components.evaluator import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.types.artifact import Artifact
from tfx.utils import path_utils, proto_utils

from pipeline.evaluation.comparison import Comparison, compare
from pipeline.progress import report_progress


class Executor(executor.Executor):
    """Leaves out of the comparison what the last blessed model lacks."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates, and writes beside the blessing what was not compared."""
        comparison = _comparison(input_dict)
        for note in comparison.notes:
            report_progress(note)
        if not comparison.possible:
            input_dict = {**input_dict, keys.BASELINE_MODEL_KEY: []}
        config = tfma.EvalConfig()
        proto_utils.json_to_proto(exec_properties[keys.EVAL_CONFIG_KEY], config)
        restricted = proto_utils.proto_to_json(comparison.restrict(config))
        super().Do(
            input_dict,
            output_dict,
            {**exec_properties, keys.EVAL_CONFIG_KEY: restricted},
        )
        comparison.write(artifact_utils.get_single_uri(output_dict[keys.BLESSING_KEY]))


class Evaluator(tfx.components.Evaluator):
    """TFX's Evaluator with the executor above."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)


def _comparison(input_dict: dict[str, list[Artifact]]) -> Comparison:
    blessed = input_dict.get(keys.BASELINE_MODEL_KEY)
    if not blessed:
        return Comparison(possible=False)
    [model] = input_dict[keys.MODEL_KEY]
    return compare(
        path_utils.serving_model_path(model.uri),
        path_utils.serving_model_path(blessed[0].uri),
    )
