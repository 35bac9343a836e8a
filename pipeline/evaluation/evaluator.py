"""TFX's Evaluator, which compares only what can be compared and scores in bulk."""

from __future__ import annotations

import os
from typing import Any

import tensorflow_model_analysis as tfma
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import config_util
from tfx.components import Evaluator as TfxEvaluator
from tfx.components.evaluator import constants, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils, proto_utils

from pipeline.evaluation.comparison import Comparison, compare
from pipeline.evaluation.scored_rows import analyze_scored_rows
from pipeline.evaluation.scores import score_split
from pipeline.progress import report_progress

_SPLIT = "eval"
_LOCAL_RUNNERS = (None, "DirectRunner", "BundleBasedDirectRunner")

Artifacts = dict[str, list[Artifact]]


class Executor(executor.Executor):
    """Leaves out of the comparison what the last blessed model lacks.

    Where Beam has this one machine, the split is scored here in large batches, and TFMA
    is handed the scores; on a cluster TFX's own way shares them out.
    """

    def Do(
        self,
        input_dict: Artifacts,
        output_dict: Artifacts,
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates, and writes beside the blessing what was not compared."""
        comparison = _comparison(input_dict)
        for note in comparison.notes:
            report_progress(note)
        if not comparison.possible:
            input_dict = {**input_dict, keys.BASELINE_MODEL_KEY: []}
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(exec_properties[keys.EVAL_CONFIG_KEY], config)
        config = comparison.restrict(config)
        if self._has_one_machine():
            self._evaluate_here(input_dict, output_dict, config)
            _write_blessing(input_dict, output_dict, exec_properties)
        else:
            restricted = proto_utils.proto_to_json(config)
            super().Do(
                input_dict,
                output_dict,
                {**exec_properties, keys.EVAL_CONFIG_KEY: restricted},
            )
        comparison.write(artifact_utils.get_single_uri(output_dict[keys.BLESSING_KEY]))

    def _has_one_machine(self) -> bool:
        options = PipelineOptions(self._beam_pipeline_args)
        return options.view_as(StandardOptions).runner in _LOCAL_RUNNERS

    def _evaluate_here(
        self,
        input_dict: Artifacts,
        output_dict: Artifacts,
        config: config_pb2.EvalConfig,
    ) -> None:
        config = config_util.update_eval_config_with_defaults(
            config,
            has_baseline=bool(input_dict.get(keys.BASELINE_MODEL_KEY)),
            rubber_stamp=True,  # without a baseline no change is judged, as in TFX
        )
        models = {
            spec.name: _model_path(
                input_dict,
                keys.BASELINE_MODEL_KEY if spec.is_baseline else keys.MODEL_KEY,
            )
            for spec in config.model_specs
        }
        rows, scores = score_split(
            models,
            artifact_utils.get_split_uri(input_dict[keys.EXAMPLES_KEY], _SPLIT),
            tuple(config.model_specs[0].label_keys),
        )
        with self._make_beam_pipeline() as pipeline:
            analyze_scored_rows(
                pipeline,
                rows,
                scores,
                models,
                config,
                artifact_utils.get_single_uri(output_dict[keys.EVALUATION_KEY]),
            )


class Evaluator(TfxEvaluator):
    """TFX's Evaluator with the executor above."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)


def _comparison(input_dict: Artifacts) -> Comparison:
    if not input_dict.get(keys.BASELINE_MODEL_KEY):
        return Comparison(possible=False)
    return compare(
        _model_path(input_dict, keys.MODEL_KEY),
        _model_path(input_dict, keys.BASELINE_MODEL_KEY),
    )


def _model_path(input_dict: Artifacts, key: str) -> str:
    return path_utils.serving_model_path(input_dict[key][0].uri)


def _write_blessing(
    input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
) -> None:
    """The verdict of TFMA's validation, noted as TFX's executor notes it."""
    blessing = artifact_utils.get_single_instance(output_dict[keys.BLESSING_KEY])
    [model] = input_dict[keys.MODEL_KEY]
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id
    )
    for baseline in input_dict.get(keys.BASELINE_MODEL_KEY) or ():
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    if "current_component_id" in exec_properties:
        blessing.set_string_custom_property(
            "component_id", exec_properties["current_component_id"]
        )
    evaluation = artifact_utils.get_single_uri(output_dict[keys.EVALUATION_KEY])
    blessed = tfma.load_validation_result(evaluation).validation_ok
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE,
    )
