"""The Evaluator's configuration: GAUC by slice, and when a model is blessed."""

from __future__ import annotations

import json

from google.protobuf import wrappers_pb2
from tensorflow_model_analysis.proto import config_pb2

from pipeline.config import RunConfig
from pipeline.evaluation.gauc_metric import GUARD_NAME

USER_COLUMN = "user_id"
SLICE_COLUMNS = ("user_group", "is_new_video")


def eval_config(config: RunConfig) -> config_pb2.EvalConfig:
    """Every task's GAUC overall, by user group and by new and regular video.

    A blessing needs, for each blessing task, that on no slice GAUC falls by more than
    `evaluation.max_gauc_drop` against the last blessed model. The first model is
    blessed as it is.
    """
    names = config.task_names
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                # Named, because TFMA would load the model to find it out.
                model_type="tf_generic",
                signature_name="serving_default",
                label_keys={name: name for name in names},
            )
        ],
        slicing_specs=_slices(),
        metrics_specs=[_metrics_of(name, config) for name in names],
        options=config_pb2.Options(
            include_default_metrics=wrappers_pb2.BoolValue(value=False)
        ),
    )


def _metrics_of(task: str, config: RunConfig) -> config_pb2.MetricsSpec:
    evaluation = config.evaluation
    settings = {
        "user_key": USER_COLUMN,
        "weighting": evaluation.weighting,
        "min_scored_users": evaluation.min_scored_users,
    }
    spec = config_pb2.MetricsSpec(
        output_names=[task],
        metrics=[
            config_pb2.MetricConfig(
                class_name="GAUC",
                module="pipeline.evaluation.gauc_metric",
                config=json.dumps(settings),
            )
        ],
    )
    if task in config.blessing_tasks:
        # Before there is a blessed model TFMA drops change thresholds and, left with
        # none, blesses nothing; the floor that every model passes prevents that.
        threshold = config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(
                lower_bound=wrappers_pb2.DoubleValue(value=0.0)
            ),
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.HIGHER_IS_BETTER,
                absolute=wrappers_pb2.DoubleValue(value=-evaluation.max_gauc_drop),
            ),
        )
        spec.per_slice_thresholds[GUARD_NAME].CopyFrom(
            config_pb2.PerSliceMetricThresholds(
                thresholds=[
                    config_pb2.PerSliceMetricThreshold(
                        slicing_specs=_slices(), threshold=threshold
                    )
                ]
            )
        )
    return spec


def _slices() -> list[config_pb2.SlicingSpec]:
    by_column = [
        config_pb2.SlicingSpec(feature_keys=[column]) for column in SLICE_COLUMNS
    ]
    return [config_pb2.SlicingSpec(), *by_column]
