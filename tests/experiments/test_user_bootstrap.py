"""The slow, obvious reference: a drawn user's rows are copied, as another user's."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.user_bootstrap import (
    RankedRows,
    auc_by_draw,
    drawn_users,
    gauc_by_draw,
    interval,
)
from poso_keras import gauc

USERS, ROWS, DRAWS = 12, 90, 20
RANDOM = np.random.default_rng(8)
# User 0 has no impressions here, user 1 one alone, and many scores are tied.
RANKED = RankedRows(
    users=np.append(1, RANDOM.integers(2, USERS, size=ROWS - 1)),
    positive=RANDOM.random(ROWS) < 0.3,
    scores=RANDOM.integers(8, size=ROWS) / 8,
)
TIMES = drawn_users(USERS, DRAWS, seed=4)


def copied(times):
    """The rows of a draw, with a number of its own for each copy of a user."""
    users, positive, scores = [], [], []
    for user, count in enumerate(times):
        rows = np.flatnonzero(RANKED.users == user)
        for _ in range(count):
            users += [len(users) + ROWS * user] * len(rows)
            positive += RANKED.positive[rows].tolist()
            scores += RANKED.scores[rows].tolist()
    return positive, scores, users


@pytest.mark.parametrize("weighting", ["impressions", "positives", "none"])
def test_gauc_is_that_of_users_copied_as_often_as_they_are_drawn(weighting):
    expected = [gauc(*copied(times), weighting=weighting).value for times in TIMES]
    found = gauc_by_draw(RANKED, TIMES, weighting)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_auc_is_that_of_users_copied_as_often_as_they_are_drawn():
    expected = [roc_auc_score(*copied(times)[:2]) for times in TIMES]
    np.testing.assert_allclose(auc_by_draw(RANKED, TIMES), expected, rtol=1e-12)


def test_the_first_row_is_of_the_users_as_they_are():
    [within, *_] = gauc_by_draw(RANKED, TIMES)
    [overall, *_] = auc_by_draw(RANKED, TIMES)
    expected = gauc(RANKED.positive, RANKED.scores, RANKED.users).value
    assert within == pytest.approx(expected, rel=1e-12)
    expected = roc_auc_score(RANKED.positive, RANKED.scores)
    assert overall == pytest.approx(expected, rel=1e-12)


def test_draws_that_do_not_fit_into_memory_at_once_are_the_same(monkeypatch):
    whole = gauc_by_draw(RANKED, TIMES), auc_by_draw(RANKED, TIMES)
    monkeypatch.setattr("experiments.user_bootstrap._ROWS_AT_ONCE", 2 * ROWS)
    np.testing.assert_allclose(gauc_by_draw(RANKED, TIMES), whole[0], rtol=1e-12)
    np.testing.assert_array_equal(auc_by_draw(RANKED, TIMES), whole[1])


def test_as_many_users_are_drawn_as_there_are():
    assert (TIMES[0] == 1).all()
    assert (TIMES.sum(axis=1) == USERS).all()
    assert len(np.unique(TIMES, axis=0)) == 1 + DRAWS
    np.testing.assert_array_equal(drawn_users(USERS, DRAWS, seed=4), TIMES)


def test_a_draw_without_both_labels_has_no_value():
    one_user = RankedRows(np.array([0, 0]), np.array([True, False]), np.array([2, 1]))
    times = np.array([[1, 1], [2, 0], [0, 2]], np.uint16)
    for found in (gauc_by_draw(one_user, times), auc_by_draw(one_user, times)):
        np.testing.assert_array_equal(found, [1, 1, np.nan])
        assert interval(found).low == 1


def test_without_rows_there_is_no_value():
    none = RankedRows(np.zeros(0, int), np.zeros(0, bool), np.zeros(0))
    assert np.isnan(gauc_by_draw(none, TIMES)).all()
    assert np.isnan(auc_by_draw(none, TIMES)).all()
    assert np.isnan(interval(auc_by_draw(none, TIMES)).high)


def test_the_interval_holds_95_of_100_draws_beside_the_users_own_number():
    found = interval(np.append(7.0, RANDOM.permutation(1001) / 1000))
    assert found.value == 7
    assert (found.low, found.high) == pytest.approx((0.025, 0.975))


def test_the_interval_is_as_wide_as_the_spread_between_logs():
    """Of logs of 400 users each the interval of one says how another's GAUC differs."""
    random = np.random.default_rng(1)

    def a_log():
        users = np.repeat(np.arange(400), 20)
        skill = np.repeat(random.normal(1, 1, size=400), 20)
        positive = random.random(len(users)) < 0.5
        scores = skill * positive + random.normal(size=len(users))
        return RankedRows(users, positive, scores)

    values = [gauc_by_draw(a_log(), np.ones((1, 400), int))[0] for _ in range(200)]
    found = interval(gauc_by_draw(a_log(), drawn_users(400, 1000, seed=2)))
    width = (found.high - found.low) / (2 * 1.96)
    assert width == pytest.approx(np.std(values), rel=0.25)
