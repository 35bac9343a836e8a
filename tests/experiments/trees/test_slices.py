import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.trees.slices import LIGHTGBM, compared
from poso_keras import gauc
from tests.helpers.evaluation_rows import evaluation_rows

ROWS = 60
RANDOM = np.random.default_rng(5)
LABELS = RANDOM.integers(2, size=ROWS).tolist()
USERS = [f"u{user}" for user in RANDOM.integers(6, size=ROWS)]
GROUPS = ["new" if user in ("u0", "u1") else "regular" for user in USERS]
ROW_SET = evaluation_rows({"like": LABELS, "share": LABELS}, USERS, groups=GROUPS)
MODEL, TREES = RANDOM.random(ROWS), RANDOM.random(ROWS)


def tables(rankings, rows=ROW_SET):
    found = compared(rows, rankings, "impressions")
    return {(row.task, row.slice): row for row in found}


def test_gauc_and_auc_of_every_slice():
    table = tables({"model": {"like": MODEL}, LIGHTGBM: {"like": TREES}})
    new = np.array(GROUPS) == "new"
    labels = np.array(LABELS)
    for name, rows in (("all", np.ones(ROWS, bool)), ("new", new), ("regular", ~new)):
        row = table["like", name]
        for ranking, scores in (("model", MODEL), (LIGHTGBM, TREES)):
            expected = gauc(labels[rows], scores[rows], np.array(USERS)[rows])
            assert row.gauc[ranking] == pytest.approx(expected.value)
            assert row.users_scored == expected.users_scored
            auc = roc_auc_score(labels[rows], scores[rows])
            assert row.auc[ranking] == pytest.approx(auc)


def test_what_the_model_is_ahead_by_is_in_points():
    table = tables({"model": {"like": MODEL}, LIGHTGBM: {"like": TREES}})
    row = table["like", "all"]
    ahead = row.as_dict()["model_less_lightgbm_pp"]
    assert ahead["gauc"] == pytest.approx(
        100 * (row.gauc["model"] - row.gauc[LIGHTGBM])
    )
    assert ahead["auc"] == pytest.approx(100 * (row.auc["model"] - row.auc[LIGHTGBM]))


def test_rows_without_a_label_are_not_counted():
    labels = [-1, 1, 0, 1, -1, 0]
    rows = evaluation_rows({"like": labels}, list("aaabbb"))
    scores = np.array([0.9, 0.8, 0.1, 0.2, 0.95, 0.3])
    row = tables({LIGHTGBM: {"like": scores}}, rows)["like", "all"]
    assert row.impressions == 4
    assert row.gauc[LIGHTGBM] == pytest.approx(0.5)  # one user right, one wrong
    assert row.auc[LIGHTGBM] == pytest.approx(0.5 + 0.25)


def test_a_task_that_nobody_ranks_is_left_out():
    assert {task for task, _ in tables({LIGHTGBM: {"like": TREES}})} == {"like"}
    assert compared(ROW_SET, {LIGHTGBM: {}}, "impressions") == []


def test_a_task_without_trees_keeps_its_model():
    table = tables({"model": {"like": MODEL}, LIGHTGBM: {}})
    row = table["like", "all"]
    assert row.gauc.keys() == {"model"}
    assert row.as_dict()["model_less_lightgbm_pp"] == {"gauc": None, "auc": None}
