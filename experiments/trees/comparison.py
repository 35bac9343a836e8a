"""Trees and a run's models on the same rows, by task and slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.trees.boosting import BoostingSettings, FittedTrees
from experiments.trees.ranking import Say, Show, rank_by_trees
from experiments.trees.slices import LIGHTGBM, ComparedSlice, compared
from pipeline.evaluation.scores import score_split
from pipeline.runners.trained_run import TrainedRun


@dataclass(frozen=True)
class Yardstick:
    """The comparison of one run.

    Attributes:
        table: By task and slice, in the order of the report.
        trees: By task; without those that had nothing to be fitted to.
        inputs: The trees' features.
        left_out: Categories with too many values, and how many they have.
        held_out: Which training rows told when to stop.
        train_impressions: Rows of the training split.
        eval_impressions: Rows of the evaluation split.
        notes: What else to know.
    """

    table: list[ComparedSlice]
    trees: Mapping[str, FittedTrees]
    inputs: list[str]
    left_out: Mapping[str, int]
    held_out: str
    train_impressions: int
    eval_impressions: int
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "train_impressions": self.train_impressions,
            "eval_impressions": self.eval_impressions,
            "held_out": self.held_out,
            "inputs": self.inputs,
            "left_out": dict(self.left_out),
            "slices": [row.as_dict() for row in self.table],
            "trees": {
                task: {"rounds": t.rounds, "rows": t.rows, "gains": t.gains}
                for task, t in self.trees.items()
            },
            "notes": self.notes,
        }


def compare_with_trees(
    run: TrainedRun,
    settings: BoostingSettings,
    ids: bool = True,
    say: Say = lambda line: None,
    show: Show = lambda task, rounds, loss: None,
) -> Yardstick:
    """Fits trees for each task and ranks the evaluation split by all rankings.

    Args:
        run: What is compared; without models the trees stand alone.
        settings: Of the trees.
        ids: Whether ids and other categories of many values are features, too.
        say: Gets a line of progress at a time.
        show: Is told the task, its rounds so far and the held-out loss.

    Raises:
        ImportError: LightGBM is not there.
        ValueError: A split has no example files.
    """
    config = run.config
    found = rank_by_trees(run, settings, ids, say, show)
    rows, rankings = score_split(
        {name: str(place) for name, place in run.model_dirs.items()},
        str(run.eval_dir),
        config.task_names,
    )
    rankings[LIGHTGBM] = found.scores
    say(f"ranked {len(rows):,} impressions")
    return Yardstick(
        table=compared(rows, rankings, config.evaluation.weighting),
        trees=found.trees,
        inputs=found.inputs,
        left_out=found.left_out,
        held_out=found.held_out,
        train_impressions=found.train_impressions,
        eval_impressions=len(rows),
        notes=found.notes,
    )
