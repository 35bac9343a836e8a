"""Trees and a run's models on the same rows, by task and slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.trees.boosting import BoostingSettings
from experiments.trees.ranking import Say, Show, TreeRanking, rank_by_trees
from experiments.trees.slices import LIGHTGBM, ComparedSlice, compared
from pipeline.evaluation.scores import score_split
from pipeline.runners.trained_run import TrainedRun


@dataclass(frozen=True)
class Yardstick:
    """The comparison of one run.

    Attributes:
        table: By task and slice, in the order of the report.
        trees: What the trees are; their scores are in the table.
        eval_impressions: Rows of the evaluation split.
    """

    table: list[ComparedSlice]
    trees: TreeRanking
    eval_impressions: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "eval_impressions": self.eval_impressions,
            "slices": [row.as_dict() for row in self.table],
            **self.trees.as_dict(),
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
    table = compared(rows, rankings, config.evaluation.weighting)
    return Yardstick(table, found, len(rows))
