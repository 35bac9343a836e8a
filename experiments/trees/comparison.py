"""Trees and a run's models on the same rows, by task and slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.trees.boosting import BoostingSettings, FittedTrees, fit_trees
from experiments.trees.held_out import hold_out
from experiments.trees.inputs import TreeFeature, tree_features
from experiments.trees.rows import TreeRowReader, TreeRows
from pipeline.evaluation.gauc_table import gauc_table
from pipeline.evaluation.rankings import points
from pipeline.evaluation.scores import EvaluationRows, Scores, score_split
from pipeline.runners.trained_run import TrainedRun

LIGHTGBM = "lightgbm"
MOST_CATEGORIES = 255  # as many as LightGBM has bins; more only where it is asked for

Say = Callable[[str], None]
Show = Callable[[str, int, float], None]


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
    ids: bool = False,
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
    config, tasks = run.config, run.config.task_names
    reader = TreeRowReader(config.features, tasks)
    train = reader.read(str(run.train_dir))
    say(f"read {len(train):,} impressions to train on")
    places, left_out = _chosen(train, tree_features(config.features), ids)
    inputs = [tree_features(config.features)[place] for place in places]
    held_out = hold_out(train, config.split.by == "day")
    matrix = np.ascontiguousarray(train.features[:, places])
    train = replace(train, features=matrix)
    trees, notes = {}, []
    for task in tasks:
        fitted = fit_trees(
            train.features,
            train.labels[task],
            held_out.rows,
            inputs,
            settings,
            lambda rounds, loss, task=task: show(task, rounds, loss),  # type: ignore[misc]
        )
        if fitted is None:
            notes.append(
                f"{task}: no trees, because its labels are all alike or all unknown "
                f"in {held_out.what}, or in the rest of the training rows"
            )
            say(notes[-1])
            continue
        trees[task] = fitted
        say(f"{task}: {fitted.rounds} trees of {fitted.rows:,} impressions")
    train_impressions = len(train)
    del train, matrix
    rows, rankings = score_split(
        {name: str(place) for name, place in run.model_dirs.items()},
        str(run.eval_dir),
        tasks,
    )
    features = reader.read(str(run.eval_dir)).features[:, places]
    rankings[LIGHTGBM] = {task: of.scores(features) for task, of in trees.items()}
    say(f"ranked {len(rows):,} impressions")
    return Yardstick(
        table=compared(rows, rankings, config.evaluation.weighting),
        trees=trees,
        inputs=[feature.name for feature in inputs],
        left_out=left_out,
        held_out=held_out.what,
        train_impressions=train_impressions,
        eval_impressions=len(rows),
        notes=notes,
    )


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


def _chosen(
    train: TreeRows, features: list[TreeFeature], ids: bool
) -> tuple[list[int], dict[str, int]]:
    """The places of the features to fit, and the values of those that are left out."""
    places, left_out = [], {}
    for place, feature in enumerate(features):
        values = 0
        if feature.categorical and not ids:
            highest = np.nanmax(train.features[:, place], initial=-1)
            values = int(highest) + 1  # they are numbered as they come
        if values > MOST_CATEGORIES:
            left_out[feature.name] = values
        else:
            places.append(place)
    return places, left_out
