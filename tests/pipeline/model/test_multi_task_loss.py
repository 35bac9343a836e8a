"""The loss of a batch against the formula, written out for one row at a time."""

import math

import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.multi_task_loss import MultiTaskLoss
from tests.helpers.small_transform import SETTINGS, settings_with

LABELS = {
    "long_view": {"rule": "long_view"},
    "like": {"column": "is_like", "missing": "mask"},
}
TASKS = {
    "long_view": {"weight": 2.0, "label_smoothing": 0.2},
    "like": {"weight": 0.5, "positive_weight": 7.0},
}
WEIGHTS = {"by_group": {"new": 10.0}, "column": "play_time_ms"}
LOGITS = {
    "long_view": [0.3, -1.2, 2.0, 0.0, -0.4],
    "like": [-2.0, 0.5, 1.0, 0.1, -0.3],
}
BATCH = {
    "long_view": [1.0, 0.0, 0.0, 1.0, 0.0],
    "like": [0.0, 1.0, -1.0, 0.0, 1.0],
    "user_group": [1, 4, 1, 0, 2],
    "sample_weight": [1.0, 0.5, 2.0, 0.0, 3.0],
}


def loss_of(tasks=TASKS, weights=WEIGHTS):
    return MultiTaskLoss(
        settings_with(
            features={**SETTINGS["features"], "labels": LABELS},
            tasks=tasks,
            training={"sample_weights": weights},
        )
    )


def tensors(columns):
    return {name: tf.constant(values) for name, values in columns.items()}


def entropy(logit, label):
    p = 1 / (1 + math.exp(-logit))
    return -(label * math.log(p) + (1 - label) * math.log(1 - p))


def reference(task, tasks=TASKS, weights=WEIGHTS):
    """A task's sum of weighted losses, and its sum of weights."""
    smoothing = tasks[task].get("label_smoothing", 0)
    total = count = 0.0
    for row, (logit, label) in enumerate(zip(LOGITS[task], BATCH[task], strict=True)):
        if label < 0:
            continue
        weight = BATCH["sample_weight"][row] if "column" in weights else 1.0
        if BATCH["user_group"][row] == 1:
            weight *= weights.get("by_group", {}).get("new", 1.0)
        if label == 1:
            weight *= tasks[task].get("positive_weight", 1.0)
        smooth = label * (1 - smoothing) + smoothing / 2
        total += weight * entropy(logit, smooth)
        count += weight
    return total, count


PLAIN = {"long_view": {}, "like": {}}


@pytest.mark.parametrize(
    ("tasks", "weights"),
    [
        (TASKS, WEIGHTS),
        (TASKS, {}),
        (PLAIN, {"by_group": {"new": 3.0}}),
        (PLAIN, {"column": "play_time_ms"}),
        (PLAIN, {}),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_it_is_the_weighted_sum_of_weighted_means(tasks, weights, training):
    loss = loss_of(tasks, weights)
    value = loss.compute(tensors(LOGITS), tensors(BATCH), training)
    expected = 0.0
    for task in tasks:
        total, count = reference(task, tasks, weights)
        assert float(loss.means[task].result()) == pytest.approx(total / count)
        expected += tasks[task].get("weight", 1.0) * total / count
    assert float(value) == pytest.approx(expected, rel=1e-5)
    assert float(loss.mean_loss.result()) == pytest.approx(expected, rel=1e-5)


def test_means_over_batches_count_each_weight_once():
    loss = loss_of()
    first = {name: values[:2] for name, values in BATCH.items()}
    rest = {name: values[2:] for name, values in BATCH.items()}
    for part, rows in ((first, slice(None, 2)), (rest, slice(2, None))):
        logits = {name: values[rows] for name, values in LOGITS.items()}
        loss.compute(tensors(logits), tensors(part), training=True)
    for task in TASKS:
        total, count = reference(task)
        assert float(loss.means[task].result()) == pytest.approx(total / count)


def test_weights_and_smoothing_leave_the_auc_as_it_is():
    weighted, plain = loss_of(), loss_of(PLAIN, {})
    for loss in (weighted, plain):
        loss.compute(tensors(LOGITS), tensors(BATCH), training=False)
    for task in TASKS:
        known = np.array(BATCH[task]) >= 0
        labels, scores = np.array(BATCH[task])[known], np.array(LOGITS[task])[known]
        ranks = [a > b for a in scores[labels == 1] for b in scores[labels == 0]]
        for loss in (weighted, plain):
            result = float(loss.aucs[task].result())
            assert result == pytest.approx(np.mean(ranks), abs=0.01)


def test_a_batch_without_any_weight_adds_nothing():
    loss = loss_of(PLAIN, {"column": "play_time_ms"})
    batch = {**tensors(BATCH), "sample_weight": tf.zeros(5)}
    assert float(loss.compute(tensors(LOGITS), batch, training=True)) == 0.0
