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
    for task, labels in past.tasks.items():
        if labels.positives in (0, labels.known):
            which = int(labels.positives > 0) if labels.known else "unknown"
            notes.append(f"{task}: all labels to train on are {which}")
    for row in table:
        if row.slice == OVERALL and not row.users_scored:
            notes.append(
                f"{row.task}: of the impressions to evaluate on "
                f"{_why_not_scored(rows, row.task)}: there is no GAUC, and the "
                "task does not decide the blessing"
            )
    return notes


def _why_not_scored(rows: EvaluationRows, task: str) -> str:
    known = rows.known_labels(task)
    if not len(known):
        return "all labels are unknown"
    if (known != known[0]).any():
        return "no user has both labels"
    which = "all labels" if len(known) == len(rows) else "all known labels"
    return f"{which} are {known[0]}"
