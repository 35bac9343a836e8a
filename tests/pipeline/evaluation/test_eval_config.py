import json

from tensorflow_model_analysis.proto import config_pb2

from pipeline.evaluation.eval_config import eval_config
from pipeline.evaluation.gauc_metric import GAUC, GUARD_NAME
from tests.helpers.small_transform import settings_with


def metrics(config):
    return {spec.output_names[0]: spec for spec in eval_config(config).metrics_specs}


def test_each_task_is_an_output_with_its_own_label():
    [model] = eval_config(settings_with()).model_specs
    assert model.signature_name == "serving_default"
    assert dict(model.label_keys) == {"long_view": "long_view", "like": "like"}


def test_gauc_is_computed_as_the_configuration_says():
    config = settings_with(evaluation={"weighting": "none", "min_scored_users": 7})
    for spec in metrics(config).values():
        [metric] = spec.metrics
        assert metric.class_name == "GAUC"
        assert metric.module == GAUC.__module__
        assert json.loads(metric.config) == {
            "user_key": "user_id",
            "weighting": "none",
            "min_scored_users": 7,
        }


def test_only_blessing_tasks_have_thresholds_on_every_slice():
    config = settings_with(
        evaluation={"blessing_tasks": ["like"], "max_gauc_drop": 0.25}
    )
    specs = metrics(config)
    assert not specs["long_view"].per_slice_thresholds
    [threshold] = specs["like"].per_slice_thresholds[GUARD_NAME].thresholds
    assert threshold.slicing_specs == eval_config(config).slicing_specs
    change = threshold.threshold.change_threshold
    assert change.absolute.value == -0.25
    assert change.direction == config_pb2.MetricDirection.HIGHER_IS_BETTER


def test_slices_are_all_user_groups_and_new_videos():
    slices = eval_config(settings_with()).slicing_specs
    assert [list(spec.feature_keys) for spec in slices] == [
        [],
        ["user_group"],
        ["is_new_video"],
    ]
