"""The executor's two ways agree: scored here, or by TFX's Beam pipeline."""

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx.types import artifact_utils, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import proto_utils

from pipeline.evaluation.comparison import COMPARISON_FILE
from pipeline.evaluation.eval_config import eval_config
from pipeline.evaluation.evaluator import Executor
from tests.helpers.small_transform import (
    analyzed_rows,
    feature_row,
    settings_with,
    write_examples,
)

TASKS = ("long_view", "like")
MODEL_ID, BASELINE_ID = 7, 4


class Model(tf.Module):
    """Scores by one number of an example, the more the higher or the lower."""

    def __init__(self, sign, tasks):
        super().__init__()
        self.sign = tf.Variable(sign)
        self.tasks = tasks

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(self, examples):
        spec = {"video_impressions": tf.io.FixedLenFeature([], tf.int64)}
        return self.of(tf.io.parse_example(examples, spec)["video_impressions"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, "impressions")])
    def raw(self, impressions):
        return self.of(impressions)

    def of(self, impressions):
        score = tf.sigmoid(self.sign * tf.cast(impressions % 97, tf.float32) / 50.0)
        return {task: score / (1.0 + place) for place, task in enumerate(self.tasks)}

    def artifact(self, folder, number):
        signatures = {"serving_default": self.serve, "predict_raw": self.raw}
        place = str(folder / "Format-Serving")
        tf.saved_model.save(self, place, signatures=signatures)
        return artifact(standard_artifacts.Model, folder, number)


def artifact(kind, folder, number=1):
    made = kind()
    made.uri, made.id = str(folder), number
    return made


@pytest.fixture(scope="module")
def inputs(small_transform, tmp_path_factory):
    """Both labels vary within users, and one example has no label."""
    folder = tmp_path_factory.mktemp("inputs")
    rows = [
        {**row, "long_view": index // 4 % 2, "like": index // 8 % 2}
        for index, row in enumerate(analyzed_rows())
    ]
    rows.append(feature_row(user_id="u1", user_group="new", like=None))
    write_examples(small_transform.examples(rows), folder / "examples" / "Split-eval")
    examples = artifact(standard_artifacts.Examples, folder / "examples")
    examples.split_names = artifact_utils.encode_split_names(["eval"])
    return {
        keys.EXAMPLES_KEY: [examples],
        keys.MODEL_KEY: [Model(1.0, TASKS).artifact(folder / "model", MODEL_ID)],
        **{
            name: [Model(sign, tasks).artifact(folder / name, BASELINE_ID)]
            for name, sign, tasks in (
                ("same", 1.0, TASKS),
                ("opposite", -1.0, TASKS),  # better on some slices
                ("lacking", -1.0, TASKS[:1]),
            )
        },
    }


def evaluated(folder, inputs, config, here):
    """Runs the executor; returns TFMA's results by model, and what a blessing says."""
    evaluation = artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")
    blessing = artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    executor = Executor(Executor.Context())
    executor._has_one_machine = lambda: here
    executor.Do(
        inputs,
        {keys.EVALUATION_KEY: [evaluation], keys.BLESSING_KEY: [blessing]},
        {
            keys.EVAL_CONFIG_KEY: proto_utils.proto_to_json(eval_config(config)),
            keys.EXAMPLE_SPLITS_KEY: "null",
            "current_component_id": "Evaluator",
        },
    )
    names = [tfma.CANDIDATE_KEY]
    names += [tfma.BASELINE_KEY] if inputs.get(keys.BASELINE_MODEL_KEY) else []
    results = {
        name: dict(
            tfma.load_eval_result(
                evaluation.uri, model_name=name if len(names) > 1 else None
            ).slicing_metrics
        )
        for name in names
    }
    numbers = ("current_model_id", "baseline_model_id", "blessed")
    texts = ("current_model", "baseline_model", "component_id")
    said = {name: blessing.get_int_custom_property(name) for name in numbers}
    said |= {name: blessing.get_string_custom_property(name) for name in texts}
    said["files"] = sorted(file.name for file in (folder / "blessing").iterdir())
    return results, said, tfma.load_validation_result(evaluation.uri)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("baseline", "drop", "blessed"),
    [
        ("same", 0.0, True),
        ("opposite", 0.0, False),
        ("lacking", 1.0, True),
        (None, 0.0, True),
    ],
)
def test_both_ways_give_the_same(inputs, baseline, drop, blessed, tmp_path):
    given = {name: inputs[name] for name in (keys.EXAMPLES_KEY, keys.MODEL_KEY)}
    given[keys.BASELINE_MODEL_KEY] = inputs[baseline] if baseline else []
    config = settings_with(evaluation={"max_gauc_drop": drop, "min_scored_users": 1})
    here, there = (
        evaluated(tmp_path / name, given, config, name == "here")
        for name in ("here", "there")
    )
    assert here[1] == there[1]
    assert here[1]["blessed"] == blessed
    assert here[1]["current_model_id"] == MODEL_ID
    assert here[1]["files"][-1] == COMPARISON_FILE
    assert here[2].validation_ok == there[2].validation_ok
    assert len(here[2].metric_validations_per_slice) == len(
        there[2].metric_validations_per_slice
    )
    assert here[0].keys() == there[0].keys()
    for name, slices in there[0].items():
        assert here[0][name] == slices
        assert len(slices) == 1 + 4 + 2


@pytest.mark.parametrize(
    ("args", "here"),
    [
        ([], True),
        (["--direct_running_mode=in_memory"], True),
        (["--runner=DirectRunner"], True),
        (["--runner=DataflowRunner"], False),
        (["--runner=FlinkRunner"], False),
    ],
)
def test_a_cluster_is_told_by_beams_runner(args, here):
    executor = Executor(Executor.Context(beam_pipeline_args=args))
    assert executor._has_one_machine() == here
