"""What trained arms have left: their scores, and the numbers of their runs."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from experiments.arms.findings import MODEL, TREES, Ranking, Scored
from experiments.arms.scored_rows import ScoredRows, read_scored_rows
from experiments.arms.training import TrainedArm


def read_scores(trained: Sequence[TrainedArm]) -> Scored:
    """The kept scores, by day and ranking.

    Raises:
        ValueError: A file is gone or not whole.
    """
    scored: dict[datetime.date, dict[Ranking, list[ScoredRows]]] = {}
    for arm in trained:
        of_day = scored.setdefault(arm.of.day, {})
        models = [read_scored_rows(file) for file in arm.model_scores]
        of_day[Ranking(MODEL, arm.of.arm)] = models
        of_day[Ranking(TREES, arm.of.arm)] = [read_scored_rows(arm.trees_scores)]
    return scored


def run_numbers(arm: TrainedArm) -> dict[str, Any]:
    """What a day's arm was made of, for JSON."""
    return {
        "day": arm.of.day.isoformat(),
        "arm": arm.of.arm,
        "config": arm.of.experiment.config(1).model_dump(
            mode="json", exclude={"training": {"seed"}}
        ),
        "train_impressions": arm.metrics[0]["train_impressions"],
        "eval_impressions": arm.metrics[0]["eval_impressions"],
        "trees": arm.trees,
    }
