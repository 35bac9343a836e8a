"""GAUC and AUC of several rankings, by task and slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.evaluation.gauc_table import gauc_table
from pipeline.evaluation.rankings import points
from pipeline.evaluation.scores import EvaluationRows, Scores

LIGHTGBM = "lightgbm"


@dataclass(frozen=True)
class ComparedSlice:
    """One task on one slice.

    Attributes:
        task: Which label.
        slice: `all`, a user group, or `new video` / `regular video`.
        impressions: Rows of the slice whose label is known.
        users_scored: Users of the slice with both labels; the others have no GAUC.
        gauc: By ranking name; None where no user could be scored.
        auc: Over all rows of the slice; None where they have one label alone.
    """

    task: str
    slice: str
    impressions: int
    users_scored: int
    gauc: Mapping[str, float | None]
    auc: Mapping[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with what the model is ahead by, in percentage points."""
        return {
            "task": self.task,
            "slice": self.slice,
            "impressions": self.impressions,
            "users_scored": self.users_scored,
            "gauc": dict(self.gauc),
            "auc": dict(self.auc),
            "model_less_lightgbm_pp": {
                "gauc": points(self.gauc, LIGHTGBM),
                "auc": points(self.auc, LIGHTGBM),
            },
        }


def compared(
    rows: EvaluationRows, rankings: Mapping[str, Scores], weighting: str
) -> list[ComparedSlice]:
    """GAUC and AUC of each ranking; tasks that none has scored are left out.

    AUC is the GAUC of rows that are all one user's.

    Args:
        rows: What was ranked.
        rankings: By ranking name, then by task, scores [rows].
        weighting: Of users in GAUC, as in `poso_keras.gauc`.
    """
    scored = {task for scores in rankings.values() for task in scores}
    labels = {task: of for task, of in rows.labels.items() if task in scored}
    rows = replace(rows, labels=labels)
    as_one_user = replace(rows, users=np.zeros_like(rows.users))
    return [
        ComparedSlice(
            task=within.task,
            slice=within.slice,
            impressions=within.impressions,
            users_scored=within.users_scored,
            gauc=within.gauc,
            auc=overall.gauc,
        )
        for within, overall in zip(
            gauc_table(rows, rankings, weighting),
            gauc_table(as_one_user, rankings, weighting),
            strict=True,
        )
    ]
