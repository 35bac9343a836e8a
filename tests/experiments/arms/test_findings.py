import datetime

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.arms.findings import (
    DIFFERENCES,
    MEASURES,
    RANKINGS,
    Findings,
    Measure,
    Ranking,
)
from experiments.arms.scored_rows import ScoredRows
from poso_keras import gauc

DAYS = [datetime.date(2022, 5, 2), datetime.date(2022, 5, 3)]
ALL, NEW, AUC = MEASURES


def day_rows(seed, rows=300):
    random = np.random.default_rng(seed)
    users = random.integers(20, size=rows)
    return {
        "user_ids": np.array([f"u{user}".encode() for user in users]),
        "new": users < 5,
        "labels": {"like": random.integers(-1, 2, size=rows).astype(np.int8)},
    }


def scored_days(seeds=2, tasks=("like",)):
    """Two days; the models have two seeds, the trees one."""
    found = {}
    for number, day in enumerate(DAYS):
        rows, found[day] = day_rows(number), {}
        for place, ranking in enumerate(RANKINGS):
            random = np.random.default_rng((number, place))
            count = seeds if ranking.what == "model" else 1
            found[day][ranking] = [
                ScoredRows(**rows, scores={t: random.random(300) for t in tasks})
                for _ in range(count)
            ]
    return found


SCORED = scored_days()
FOUND = Findings(SCORED, "impressions", draws=50, seed=3).of_task("like")


def finding(what, measure, day=None, found=FOUND):
    [one] = [f for f in found if (f.what, f.measure, f.day) == (what, measure, day)]
    return one


def number(rows, measure):
    known = rows.labels["like"] >= 0
    if measure.slice == "new":
        known &= rows.new
    labels, scores = rows.labels["like"][known], rows.scores["like"][known]
    if measure.metric == "auc":
        return roc_auc_score(labels, scores)
    return gauc(labels, scores, rows.user_ids[known]).value


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("ranking", RANKINGS)
def test_a_ranking_has_the_mean_over_its_seeds_and_days(ranking, measure):
    by_day = {
        day: [number(rows, measure) for rows in SCORED[day][ranking]] for day in DAYS
    }
    for day in DAYS:
        found = finding(ranking.title, measure, day)
        assert found.by_seed == pytest.approx(by_day[day])
        assert found.interval.value == pytest.approx(np.mean(by_day[day]))
    overall = finding(ranking.title, measure)
    assert overall.by_seed == pytest.approx(np.mean(list(by_day.values()), axis=0))
    assert overall.interval.low < overall.interval.value < overall.interval.high


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("pair", DIFFERENCES)
def test_differences_are_of_the_same_seed_in_percentage_points(pair, measure):
    first, second = (finding(ranking.title, measure) for ranking in pair)
    found = finding(f"{pair[0].title} - {pair[1].title}", measure)
    points = 100 * (np.array(first.by_seed) - np.array(second.by_seed))
    assert found.by_seed == pytest.approx(points)
    assert found.interval.value == pytest.approx(np.mean(points))


def test_what_does_not_differ_has_no_interval_whoever_is_drawn():
    scored = {day: dict(of) for day, of in SCORED.items()}
    for of_day in scored.values():
        of_day[Ranking("model", "with")] = of_day[Ranking("model", "without")]
    found = Findings(scored, "impressions", draws=50, seed=3).of_task("like")
    difference = finding("model with - model without", ALL, found=found).interval
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_a_users_days_are_drawn_together():
    """The same day twice says no more of the users than once."""
    twice = dict.fromkeys(DAYS, SCORED[DAYS[0]])
    found = Findings(twice, "impressions", draws=50, seed=3).of_task("like")
    for measure in MEASURES:
        once = finding("model with", measure, DAYS[0], found).interval
        both = finding("model with", measure, None, found).interval
        assert both.low == pytest.approx(once.low)
        assert both.high == pytest.approx(once.high)


def test_the_order_of_the_rows_does_not_matter():
    shuffled = {day: dict(of) for day, of in SCORED.items()}
    order = np.random.default_rng(0).permutation(300)
    ranking = RANKINGS[1]
    shuffled[DAYS[0]][ranking] = [
        ScoredRows(
            rows.user_ids[order],
            rows.new[order],
            {"like": rows.labels["like"][order]},
            {"like": rows.scores["like"][order]},
        )
        for rows in SCORED[DAYS[0]][ranking]
    ]
    found = Findings(shuffled, "impressions", draws=50, seed=3).of_task("like")
    expected = finding(ranking.title, AUC).interval
    assert finding(ranking.title, AUC, None, found).interval == expected


def test_a_ranking_that_lacks_the_task_is_left_out():
    scored = {day: dict(of) for day, of in SCORED.items()}
    trees = Ranking("trees", "with")
    scored[DAYS[1]][trees] = scored_days(tasks=())[DAYS[1]][trees]
    found = Findings(scored, "impressions", draws=50, seed=3).of_task("like")
    of = {(f.what, f.day) for f in found}
    assert ("trees with", DAYS[0]) in of
    assert ("trees with", None) not in of
    assert ("model with - trees with", DAYS[1]) not in of


def test_other_impressions_cannot_be_compared():
    scored = {day: dict(of) for day, of in SCORED.items()}
    scored[DAYS[1]][RANKINGS[1]] = SCORED[DAYS[0]][RANKINGS[1]]
    with pytest.raises(ValueError, match="2022-05-03: all must rank the same"):
        Findings(scored, "impressions", draws=50, seed=3)


def test_a_number_that_there_is_not_is_null_in_json():
    none_new = {
        day: {
            ranking: [
                ScoredRows(r.user_ids, r.new & False, r.labels, r.scores) for r in of
            ]
            for ranking, of in rankings.items()
        }
        for day, rankings in SCORED.items()
    }
    found = Findings(none_new, "impressions", draws=50, seed=3).of_task("like")
    written = finding("model with", Measure("gauc", "new"), None, found).as_dict()
    assert (written["value"], written["low"], written["by_seed"]) == (
        None,
        None,
        [None, None],
    )
