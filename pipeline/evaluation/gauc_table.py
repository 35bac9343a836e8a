"""GAUC per task and slice, of one or several rankings of the same impressions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.scores import EvaluationRows
from poso_keras import gauc
from preprocessing.contract.column_names import UNKNOWN_LABEL, USER_GROUPS

OVERALL = "all"


@dataclass(frozen=True)
class GAUCRow:
    """One task on one slice.

    Attributes:
        task: Which label.
        slice: `all`, a user group, or `new video` / `regular video`.
        impressions: Rows of the slice whose label is known.
        users_scored: Users of the slice with both labels; the others have no AUC.
        gauc: By ranking name; None where no user could be scored.
    """

    task: str
    slice: str
    impressions: int
    users_scored: int
    gauc: dict[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def slice_masks(rows: EvaluationRows) -> dict[str, np.ndarray]:
    """Boolean [rows] of each slice that has rows, in the order of the report."""
    groups = {name: rows.user_groups == i for i, name in enumerate(USER_GROUPS)}
    masks = {
        OVERALL: np.ones(len(rows), bool),
        **groups,
        "new video": rows.is_new_video,
        "regular video": ~rows.is_new_video,
    }
    return {name: mask for name, mask in masks.items() if mask.any()}


def gauc_table(
    rows: EvaluationRows,
    rankings: Mapping[str, Mapping[str, np.ndarray]],
    weighting: str = "impressions",
) -> list[GAUCRow]:
    """The table of a report.

    Args:
        rows: What was ranked.
        rankings: By ranking name, then by task, scores [rows]; a ranking may leave
            tasks out.
        weighting: As in `poso_keras.gauc`.
    """
    table = []
    masks = slice_masks(rows)
    for task, labels in rows.labels.items():
        for name, mask in masks.items():
            results = {
                ranking: gauc(
                    labels[mask],
                    scores[task][mask],
                    rows.users[mask],
                    weighting=weighting,
                    unknown_label=UNKNOWN_LABEL,
                )
                for ranking, scores in rankings.items()
                if task in scores
            }
            first = next(iter(results.values()))
            table.append(
                GAUCRow(
                    task=task,
                    slice=name,
                    impressions=int((labels[mask] != UNKNOWN_LABEL).sum()),
                    users_scored=first.users_scored,
                    gauc={
                        ranking: None if math.isnan(r.value) else float(r.value)
                        for ranking, r in results.items()
                    },
                )
            )
    return table


def calibration(
    labels: np.ndarray, scores: np.ndarray, bins: int = 10
) -> list[dict[str, float]]:
    """Mean score and label rate in bins of equal counts of one task's scores.

    Rows whose label is unknown are in no bin; without any other there is no bin.
    """
    known = labels != UNKNOWN_LABEL
    labels, scores = labels[known], scores[known]
    order = np.argsort(scores, kind="stable")
    return [
        {
            "score": float(scores[part].mean()),
            "rate": float(labels[part].mean()),
            "impressions": len(part),
        }
        for part in np.array_split(order, bins)
        if len(part)
    ]
