import json

import numpy as np
import pandas as pd
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from pipeline.evaluation import gauc_metric
from poso_keras import gauc

pytestmark = pytest.mark.e2e


def evaluate(frame, **settings):
    """GAUC by TFMA, overall and by `group`, as {slice: {metric: value}}."""
    config = config_pb2.EvalConfig(
        model_specs=[config_pb2.ModelSpec(label_key="label", prediction_key="score")],
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=[
                    config_pb2.MetricConfig(
                        class_name="GAUC",
                        module="pipeline.evaluation.gauc_metric",
                        config=json.dumps({"user_key": "user_id", **settings}),
                    )
                ]
            )
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            config_pb2.SlicingSpec(feature_keys=["group"]),
        ],
    )
    result = tfma.analyze_raw_data(frame, config)
    return {
        slice_key[0][1] if slice_key else "": {
            name: float(value["doubleValue"]) for name, value in metrics[""][""].items()
        }
        for slice_key, metrics in result.slicing_metrics
    }


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    rows = 3000
    return pd.DataFrame(
        {
            "user_id": rng.integers(0, 200, rows).astype(str),
            # Groups cut through users, as they do when a user ceases to be new.
            "group": rng.choice(["new", "regular"], rows, p=[0.1, 0.9]),
            "label": rng.integers(0, 2, rows).astype(float),
            "score": rng.random(rows).round(2),  # rounding makes ties
        }
    )


@pytest.mark.parametrize("weighting", ["impressions", "positives", "none"])
def test_equals_the_function_on_every_slice(frame, weighting):
    metrics = evaluate(frame, weighting=weighting)
    assert set(metrics) == {"", "new", "regular"}
    for name, values in metrics.items():
        part = frame if not name else frame[frame.group == name]
        expected = gauc(part.label, part.score, part.user_id, weighting=weighting)
        assert values["gauc"] == pytest.approx(expected.value, abs=1e-12)


def test_guard_is_zero_where_too_few_users_could_be_scored(frame):
    scored = {
        name: gauc(part.label, part.score, part.user_id).users_scored
        for name, part in frame.groupby("group")
    }
    assert scored["new"] < scored["regular"]
    metrics = evaluate(frame, min_scored_users=scored["new"] + 1)
    assert metrics["new"]["gauc_guard"] == 0.0
    assert metrics["regular"]["gauc_guard"] == metrics["regular"]["gauc"]


def test_users_of_one_label_only_give_nan_and_a_passing_guard():
    frame = pd.DataFrame(
        {
            "user_id": ["a", "a", "b"],
            "group": ["new"] * 3,
            "label": [1.0, 1.0, 0.0],
            "score": [0.1, 0.2, 0.3],
        }
    )
    metrics = evaluate(frame)
    assert np.isnan(metrics[""]["gauc"])
    assert metrics[""]["gauc_guard"] == 0.0


def outputs_of(*tasks):
    """GAUC by task, of a model of these tasks whose scores rank labels perfectly."""
    labels = {task: np.array([0.0, 1.0]) for task in tasks}
    config = config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(signature_name="s", label_keys={t: t for t in tasks})
        ]
    )
    values = {}
    for task in tasks:
        [computation] = gauc_metric._computations(
            "user_id", "impressions", 1, eval_config=config, output_name=task
        )
        combiner = computation.combiner
        collected = combiner.create_accumulator()
        for row in range(2):
            scores = {t: np.array([labels[t][row]]) for t in tasks}
            element = metric_types.StandardMetricInputs(
                {
                    "features": {"user_id": np.array([b"u"])},
                    "labels": {t: labels[t][row : row + 1] for t in tasks},
                    # TFMA hands the only output of a model over without its name.
                    "predictions": scores if len(tasks) > 1 else scores[task],
                }
            )
            collected = combiner.add_input(collected, element)
        values[task] = combiner.extract_output(collected)[computation.keys[0]]
    return values


def test_one_task_is_scored_as_each_of_several():
    assert outputs_of("like") == {"like": 1.0}
    assert outputs_of("like", "share") == {"like": 1.0, "share": 1.0}


@pytest.mark.parametrize("lacks", [None, np.array([]), np.array([], np.int64)])
@pytest.mark.parametrize("models", [("",), ("candidate", "baseline")])
def test_examples_without_the_label_are_left_out(lacks, models):
    """In the forms in which TFMA hands over a label that an example lacks."""
    config = config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                name=model,
                signature_name="s",
                label_keys={"like": "like", "share": "share"},
            )
            for model in models
        ]
    )
    rows = [(1, 0.9), (lacks, 0.5), (0, 0.1), (lacks, 0.95), (lacks, 0.05)]
    for model in models:
        [computation] = gauc_metric._computations(
            "user_id",
            "impressions",
            1,
            eval_config=config,
            model_name=model,
            output_name="like",
        )
        combiner = computation.combiner
        collected = combiner.create_accumulator()
        for label, score in rows:
            labels = {"like": np.array([label]) if isinstance(label, int) else lacks}
            labels["share"] = np.array([1])
            scores = {"like": np.array([score]), "share": np.array([0.5])}
            element = {
                "features": {"user_id": np.array([b"u"])},
                "labels": dict.fromkeys(models, labels) if model else labels,
                "predictions": dict.fromkeys(models, scores) if model else scores,
            }
            collected = combiner.add_input(
                collected, metric_types.StandardMetricInputs(element)
            )
        assert [len(column) for column in collected[0]] == [2, 2, 2]
        assert combiner.extract_output(collected)[computation.keys[0]] == 1.0


def test_a_slice_without_a_known_label_gives_nan_and_a_passing_guard():
    [computation] = gauc_metric._computations("user_id", "impressions", 1)
    values = computation.combiner.extract_output([([], [], [])])
    key, guard = computation.keys
    assert np.isnan(values[key])
    assert values[guard] == 0.0
