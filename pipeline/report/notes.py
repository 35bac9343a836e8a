"""What a reader of the report must know of tasks that could not be judged."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.evaluation.gauc_table import OVERALL, GAUCRow
from pipeline.evaluation.scores import EvaluationRows, VideoCounts


def task_notes(
    past: VideoCounts, rows: EvaluationRows, table: Iterable[GAUCRow]
) -> list[str]:
    """A line for each task whose labels do not vary where they would have to.

    Args:
        past: Counts of the split that was trained on.
        rows: The split that was evaluated on.
        table: Its GAUC.
    """
    notes = []
    for task, positives in past.task_positives.items():
        if positives in (0, past.rows):
            label = int(positives > 0)
            notes.append(f"{task}: all labels to train on are {label}")
    for row in table:
        if row.slice == OVERALL and not row.users_scored:
            labels = rows.labels[row.task]
            same = (labels == labels[0]).all()
            why = f"all labels are {labels[0]}" if same else "no user has both labels"
            notes.append(
                f"{row.task}: of the impressions to evaluate on {why}: there is no "
                "GAUC, and the task does not decide the blessing"
            )
    return notes
