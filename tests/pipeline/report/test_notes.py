import numpy as np
import pytest

from pipeline.evaluation.gauc_table import gauc_table
from pipeline.evaluation.scores import EvaluationRows, LabelCounts, VideoCounts
from pipeline.report.notes import task_notes


def notes(labels, train_positives, train_known=10):
    rows = len(labels)
    evaluated = EvaluationRows(
        users=np.arange(rows) // 2,
        videos=np.zeros(rows, int),
        video_ids=[b"v"],
        user_groups=np.zeros(rows, int),
        is_new_video=np.zeros(rows, bool),
        labels={"like": np.array(labels)},
    )
    trained = LabelCounts(train_known, train_positives)
    past = VideoCounts(10, {}, {}, {"like": trained})
    scores = {"model": {"like": np.linspace(0, 1, rows)}}
    return task_notes(past, evaluated, gauc_table(evaluated, scores))


def test_labels_that_vary_need_no_note():
    assert notes([0, 1, 0, 0], 3) == []


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([0, 0, 0, 0], "all labels are 0"),
        ([1, 1, 1, 1], "all labels are 1"),
        ([0, 0, 1, 1], "no user has both labels"),
        ([0, -1, 0, 0], "all known labels are 0"),
        ([-1, 1, -1, -1], "all known labels are 1"),
        ([-1, -1, -1, -1], "all labels are unknown"),
        ([0, -1, 1, -1], "no user has both labels"),
    ],
)
def test_a_task_without_gauc_is_named_with_the_reason(labels, why):
    [note] = notes(labels, 3)
    assert note.startswith(f"like: of the impressions to evaluate on {why}")


@pytest.mark.parametrize(
    ("positives", "known", "label"),
    [(0, 10, 0), (10, 10, 1), (0, 4, 0), (4, 4, 1), (0, 0, "unknown")],
)
def test_a_task_that_cannot_be_learnt_is_named(positives, known, label):
    expected = [f"like: all labels to train on are {label}"]
    assert notes([0, 1], positives, known) == expected
