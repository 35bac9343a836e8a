"""A run's evaluation examples with the scores of its model, or with given ones."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from experiments.arms.scored_rows import ScoredRows
from pipeline.evaluation.rankings import MODEL
from pipeline.evaluation.scores import EvaluationRows, Scores, score_split
from pipeline.examples.example_files import serialized_batches
from pipeline.runners.trained_run import TrainedRun
from preprocessing.contract.column_names import USER_GROUPS, USER_ID


def score_model(run: TrainedRun) -> ScoredRows:
    """A run's evaluation examples as its model scores them."""
    rows, rankings = score_split(
        {MODEL: str(run.model_dirs[MODEL])},
        str(run.eval_dir),
        run.config.task_names,
    )
    return _with_users(run, rows, rankings[MODEL])


def given_scores(run: TrainedRun, scores: Scores) -> ScoredRows:
    """A run's evaluation examples with scores, by task, in the order of its files."""
    rows, _ = score_split({}, str(run.eval_dir), run.config.task_names)
    return _with_users(run, rows, scores)


def _with_users(run: TrainedRun, rows: EvaluationRows, scores: Scores) -> ScoredRows:
    new = rows.user_groups == USER_GROUPS.index("new")
    return ScoredRows(_user_ids(run), new, rows.labels, scores)


def _user_ids(run: TrainedRun) -> np.ndarray:
    """The rows' users, who are the same on all days; evaluation only numbers them."""
    spec = {USER_ID: tf.io.FixedLenFeature([], tf.string)}
    batches = serialized_batches(str(run.eval_dir))
    ids = [tf.io.parse_example(batch, spec)[USER_ID].numpy() for batch in batches]
    return np.concatenate(ids).astype(bytes)
