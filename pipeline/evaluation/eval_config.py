"""The Evaluator's configuration: GAUC by slice, and when a model is blessed."""

from __future__ import annotations

import json

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from pipeline.config import RunConfig
from pipeline.evaluation.gauc_metric import GUARD_NAME

SLICE_COLUMNS = ("user_group", "is_new_video")


def eval_config(config: RunConfig) -> tfma.EvalConfig:
    """Every task's GAUC overall, by user group and by new and regular video.

    A blessing needs, for each blessing task, that on no slice GAUC falls by more than
    `evaluation.max_gauc_drop` against the last blessed model. The first model is
    blessed as it is.
    """
    names = config.task_names
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                label_keys={name: name for name in names},
            )
        ],
        slicing_specs=_slices(),
        metrics_specs=[_metrics_of(name, config) for name in names],
        options=tfma.Options(
            include_default_metrics=wrappers_pb2.BoolValue(value=False)
        ),
    )


def _metrics_of(task: str, config: RunConfig) -> tfma.MetricsSpec:
    evaluation = config.evaluation
    settings = {
        "user_key": "user_id",
        "weighting": evaluation.weighting,
        "min_scored_users": evaluation.min_scored_users,
    }
    spec = tfma.MetricsSpec(
        output_names=[task],
        metrics=[
            tfma.MetricConfig(
                class_name="GAUC",
                module="pipeline.evaluation.gauc_metric",
                config=json.dumps(settings),
            )
        ],
    )
    if task in config.blessing_tasks:
        # Before there is a blessed model TFMA drops change thresholds and, left with
        # none, blesses nothing; the floor that every model passes prevents that.
        threshold = tfma.MetricThreshold(
            value_threshold=tfma.GenericValueThreshold(
                lower_bound=wrappers_pb2.DoubleValue(value=0.0)
            ),
            change_threshold=tfma.GenericChangeThreshold(
                direction=tfma.MetricDirection.HIGHER_IS_BETTER,
                absolute=wrappers_pb2.DoubleValue(value=-evaluation.max_gauc_drop),
            ),
        )
        spec.per_slice_thresholds[GUARD_NAME].CopyFrom(
            tfma.PerSliceMetricThresholds(
                thresholds=[
                    tfma.PerSliceMetricThreshold(
                        slicing_specs=_slices(), threshold=threshold
                    )
                ]
            )
        )
    return spec


def _slices() -> list[tfma.SlicingSpec]:
    by_column = [tfma.SlicingSpec(feature_keys=[column]) for column in SLICE_COLUMNS]
    return [tfma.SlicingSpec(), *by_column]
