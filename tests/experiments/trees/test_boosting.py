"""LightGBM finds a rule that is made up, and uses nothing that it must not."""

import numpy as np
import pytest

from experiments.trees.boosting import BoostingSettings, fit_trees
from experiments.trees.inputs import TreeFeature
from preprocessing.contract.column_names import UNKNOWN_LABEL

lightgbm = pytest.importorskip("lightgbm")

ROWS = 1200
NAMES = [TreeFeature("signal"), TreeFeature("noise"), TreeFeature("kind", True)]
SETTINGS = BoostingSettings(least_rows=20, most_rounds=60, patience=10)
HELD_OUT = np.arange(ROWS) % 4 == 3


@pytest.fixture
def features():
    random = np.random.default_rng(3)
    columns = [random.random(ROWS), random.random(ROWS), random.integers(3, size=ROWS)]
    return np.stack(columns, axis=1).astype(np.float32)


@pytest.fixture
def labels(features):
    return ((features[:, 0] > 0.6) | (features[:, 2] == 1)).astype(np.int8)


def test_what_decides_the_label_is_found(features, labels):
    trees = fit_trees(features, labels, HELD_OUT, NAMES, SETTINGS)
    scores = trees.scores(features)
    assert scores[labels == 1].min() > scores[labels == 0].max()
    assert list(trees.gains)[-1] == "noise" or "noise" not in trees.gains
    assert sum(trees.gains.values()) == pytest.approx(1)
    assert trees.rows == ROWS


def test_categories_have_no_order(features):
    labels = (features[:, 2] == 1).astype(np.int8)
    trees = fit_trees(features, labels, HELD_OUT, NAMES, SETTINGS)
    first = trees.booster.trees_to_dataframe().iloc[0]
    assert (first["split_feature"], first["decision_type"]) == ("kind", "==")


def test_rows_without_a_label_are_as_if_they_were_not_there(features, labels):
    unknown = np.arange(ROWS) % 5 == 0
    masked = np.where(unknown, np.int8(UNKNOWN_LABEL), labels)
    trees = fit_trees(features, masked, HELD_OUT, NAMES, SETTINGS)
    known = ~unknown
    alone = fit_trees(features[known], labels[known], HELD_OUT[known], NAMES, SETTINGS)
    assert trees.rows == int(known.sum())
    np.testing.assert_array_equal(trees.scores(features), alone.scores(features))


def test_a_missing_number_is_a_value_of_its_own(features):
    labels = np.isnan(np.where(features[:, 1] > 0.7, np.nan, 0)).astype(np.int8)
    features[labels == 1, 0] = np.nan
    features[:, 1] = 0
    trees = fit_trees(features, labels, HELD_OUT, NAMES, SETTINGS)
    scores = trees.scores(features)
    assert scores[labels == 1].min() > scores[labels == 0].max()


def test_rounds_end_when_the_held_out_rows_have_enough(features):
    labels = np.random.default_rng(8).integers(2, size=ROWS).astype(np.int8)
    told = []
    trees = fit_trees(
        features, labels, HELD_OUT, NAMES, SETTINGS, lambda *at: told.append(at)
    )
    assert trees.rounds < 20  # there is nothing to learn
    assert told[0][0] == 1


def test_held_out_rows_are_trained_on_in_the_end(features, labels):
    """One kind occurs in the held-out rows alone, and is always positive there."""
    features[HELD_OUT & (labels == 1), 2] = 7
    trees = fit_trees(features, labels, HELD_OUT, NAMES, SETTINGS)
    unseen = np.array([[0.1, 0.5, 7]], np.float32)
    plain = np.array([[0.1, 0.5, 0]], np.float32)
    assert trees.scores(unseen)[0] > trees.scores(plain)[0] + 0.3


def test_the_same_seed_gives_the_same_trees_with_any_threads(features, labels):
    one, two = (
        fit_trees(
            features,
            labels,
            HELD_OUT,
            NAMES,
            BoostingSettings(least_rows=20, most_rounds=30, threads=threads),
        )
        for threads in (1, 2)
    )
    np.testing.assert_array_equal(one.scores(features), two.scores(features))


@pytest.mark.parametrize("alike", [0, 1, UNKNOWN_LABEL])
@pytest.mark.parametrize("part", [HELD_OUT, ~HELD_OUT], ids=["held out", "the rest"])
def test_without_both_labels_in_either_part_there_are_no_trees(
    features, labels, alike, part
):
    labels[part] = alike
    assert fit_trees(features, labels, HELD_OUT, NAMES, SETTINGS) is None
