import numpy as np
import pytest

from pipeline.evaluation.gauc_table import gauc_table
from pipeline.evaluation.scores import EvaluationRows, VideoCounts
from pipeline.report.notes import task_notes


def notes(labels, train_positives):
    rows = len(labels)
    evaluated = EvaluationRows(
        users=np.arange(rows) // 2,
        videos=np.zeros(rows, int),
        video_ids=[b"v"],
        user_groups=np.zeros(rows, int),
        is_new_video=np.zeros(rows, bool),
        labels={"like": np.array(labels)},
    )
    past = VideoCounts(10, {}, {}, {"like": train_positives})
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
    ],
)
def test_a_task_without_gauc_is_named_with_the_reason(labels, why):
    [note] = notes(labels, 3)
    assert note.startswith(f"like: of the impressions to evaluate on {why}")


@pytest.mark.parametrize(("positives", "label"), [(0, 0), (10, 1)])
def test_a_task_that_cannot_be_learnt_is_named(positives, label):
    assert notes([0, 1], positives) == [f"like: all labels to train on are {label}"]
