"""A run's evaluation examples as trees rank them that were fitted to the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from experiments.trees.boosting import BoostingSettings, FittedTrees, fit_trees
from experiments.trees.held_out import HeldOut, hold_out
from experiments.trees.inputs import TreeFeature, tree_features
from experiments.trees.rows import TreeRowReader, TreeRows
from pipeline.evaluation.scores import Scores
from pipeline.runners.trained_run import TrainedRun
from preprocessing.contract.column_names import USER_ID

MOST_CATEGORIES = 255  # of a feature that is no id; as many as LightGBM has bins

Say = Callable[[str], None]
Show = Callable[[str, int, float], None]


@dataclass(frozen=True)
class TreeRanking:
    """What trees make of a run's evaluation examples.

    Attributes:
        scores: By task, float64 [rows], in the order of the split's files.
        trees: By task; without those that had nothing to be fitted to.
        inputs: The trees' features.
        left_out: Categories with too many values, and how many they have.
        held_out: Which training rows told when to stop.
        train_impressions: Rows of the training split.
        notes: What else to know.
    """

    scores: Scores
    trees: Mapping[str, FittedTrees]
    inputs: list[str]
    left_out: Mapping[str, int]
    held_out: str
    train_impressions: int
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what the trees are, without their scores."""
        return {
            "train_impressions": self.train_impressions,
            "held_out": self.held_out,
            "inputs": self.inputs,
            "left_out": dict(self.left_out),
            "trees": {
                task: {"rounds": t.rounds, "rows": t.rows, "gains": t.gains}
                for task, t in self.trees.items()
            },
            "notes": self.notes,
        }


def rank_by_trees(
    run: TrainedRun,
    settings: BoostingSettings,
    ids: bool = True,
    say: Say = lambda line: None,
    show: Show = lambda task, rounds, loss: None,
) -> TreeRanking:
    """Fits trees for each task and ranks the evaluation split by them alone.

    Args:
        run: Whose examples they are; its models are not looked at.
        settings: Of the trees.
        ids: Whether ids and other categories of many values are features, too.
        say: Gets a line of progress at a time.
        show: Is told the task, its rounds so far and the held-out loss.

    Raises:
        ImportError: LightGBM is not there.
        ValueError: A split has no example files.
    """
    config = run.config
    reader = TreeRowReader(config.features, config.task_names)
    train = reader.read(str(run.train_dir))
    say(f"read {len(train):,} impressions to train on")
    by_day = config.split.by == "day"
    known = tree_features(config.features)
    places, left_out = _chosen(train, known, ids, by_day)
    inputs = [known[place] for place in places]
    train = replace(train, features=train.features[:, places])
    held_out = hold_out(train, by_day)
    trees, notes = _fitted(train, held_out, inputs, settings, say, show)
    train_impressions = len(train)
    del train
    features = reader.read(str(run.eval_dir)).features[:, places]
    return TreeRanking(
        scores={task: of.scores(features) for task, of in trees.items()},
        trees=trees,
        inputs=[feature.name for feature in inputs],
        left_out=left_out,
        held_out=held_out.what,
        train_impressions=train_impressions,
        notes=notes,
    )


def _chosen(
    train: TreeRows, features: list[TreeFeature], ids: bool, by_day: bool
) -> tuple[list[int], dict[str, int]]:
    """The places of the features to fit, and the values of those that are left out.

    Where the split is by users none of those to rank has been trained on, and their ids
    say nothing.
    """
    places, left_out = [], {}
    for place, feature in enumerate(features):
        values = 0
        if feature.categorical:
            highest = np.nanmax(train.features[:, place], initial=-1)
            values = int(highest) + 1  # they are numbered as they come
        useless = feature.name == USER_ID and not by_day
        if useless or (values > MOST_CATEGORIES and not ids):
            left_out[feature.name] = values
        else:
            places.append(place)
    return places, left_out


def _fitted(
    train: TreeRows,
    held_out: HeldOut,
    inputs: list[TreeFeature],
    settings: BoostingSettings,
    say: Say,
    show: Show,
) -> tuple[dict[str, FittedTrees], list[str]]:
    """The trees by task, and why others have none."""
    trees, notes = {}, []
    for task, labels in train.labels.items():
        fitted = fit_trees(
            train.features, labels, held_out.rows, inputs, settings, partial(show, task)
        )
        if fitted is None:
            notes.append(
                f"{task} has no trees: its labels are all alike or all unknown in "
                f"{held_out.what}, or in the rest of the training rows"
            )
            say(notes[-1])
        else:
            trees[task] = fitted
            say(f"{task}: {fitted.rounds} trees of {fitted.rows:,} impressions")
    return trees, notes
