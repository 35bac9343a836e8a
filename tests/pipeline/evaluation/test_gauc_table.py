import json

import numpy as np
import pytest

from pipeline.evaluation.gauc_table import calibration, gauc_table, slice_masks
from tests.helpers.evaluation_rows import evaluation_rows


def impressions(rows):
    """Rows of (user, group, is new video, long_view, like)."""
    users, groups, new, long_view, like = zip(*rows, strict=True)
    labels = {"long_view": long_view, "like": like}
    return evaluation_rows(users=users, groups=groups, new=new, labels=labels)


ROWS = [
    ("a", "new", 1, 1, 0),
    ("a", "new", 0, 0, 0),
    ("a", "new", 0, 1, 1),
    ("b", "regular", 0, 0, 1),
    ("b", "regular", 1, 1, 0),
    ("c", "regular", 0, 1, 0),
]


def slow_gauc(rows, labels, scores):
    """Impression-weighted mean of users' share of ordered pairs; users scored."""
    total = weight = users = 0
    for user in {row[0] for row in rows}:
        mine = [i for i, row in enumerate(rows) if row[0] == user]
        pairs = [(i, j) for i in mine for j in mine if labels[i] > labels[j]]
        if not pairs:
            continue
        wins = sum(
            1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
            for i, j in pairs
        )
        total += len(mine) * wins / len(pairs)
        weight += len(mine)
        users += 1
    return (total / weight if weight else None), users


def test_every_row_against_a_slow_loop():
    rng = np.random.default_rng(2)
    groups = ("new", "returning", "inactive", "regular")
    rows = [
        (f"u{u}", groups[u % 3], *rng.integers(0, 2, 3).tolist())
        for u in rng.integers(0, 9, 60)
    ]
    scores = {
        "model": {t: rng.integers(0, 5, 60) / 5 for t in ("long_view", "like")},
        "popularity": {"like": rng.random(60)},
    }
    table = gauc_table(impressions(rows), scores)
    chosen = {
        "all": lambda row: True,
        "new": lambda row: row[1] == "new",
        "returning": lambda row: row[1] == "returning",
        "inactive": lambda row: row[1] == "inactive",
        "new video": lambda row: row[2] == 1,
        "regular video": lambda row: row[2] == 0,
    }
    assert [(r.task, r.slice) for r in table] == [
        (task, name) for task in ("long_view", "like") for name in chosen
    ]
    for row in table:
        place = {"long_view": 3, "like": 4}[row.task]
        index = [i for i, r in enumerate(rows) if chosen[row.slice](r)]
        assert row.impressions == len(index)
        rankings = {n for n, by_task in scores.items() if row.task in by_task}
        assert set(row.gauc) == rankings
        for name in rankings:
            expected, users = slow_gauc(
                [rows[i] for i in index],
                [rows[i][place] for i in index],
                [scores[name][row.task][i] for i in index],
            )
            assert row.gauc[name] == pytest.approx(expected)
            assert row.users_scored == users


def test_rows_of_unknown_label_are_as_good_as_absent_for_their_task_alone():
    rng = np.random.default_rng(8)
    rows = [
        (f"u{u}", ("new", "regular")[u % 2], int(u % 3 == 0), *labels)
        for u, *labels in rng.integers([0, 0, -1], [9, 2, 2], [80, 3]).tolist()
    ]
    known = [i for i, row in enumerate(rows) if row[4] >= 0]
    assert 10 < len(known) < 70
    scores = rng.random(80)
    every = {"model": {"long_view": scores, "like": scores}}
    part = {"model": {"long_view": scores[known], "like": scores[known]}}
    table = {(r.task, r.slice): r for r in gauc_table(impressions(rows), every)}
    without = impressions([rows[i] for i in known])
    for row in gauc_table(without, part):
        if row.task == "like":
            assert table["like", row.slice] == row
    assert table["long_view", "all"].impressions == 80
    assert table["like", "all"].impressions == len(known)


def test_a_task_of_unknown_labels_alone_has_rows_without_gauc():
    unknown = [(*row[:4], -1) for row in ROWS]
    scores = {"model": dict.fromkeys(("long_view", "like"), np.arange(6.0))}
    table = gauc_table(impressions(unknown), scores)
    of_task = [row for row in table if row.task == "like"]
    assert [row.slice for row in of_task] == list(slice_masks(impressions(ROWS)))
    for row in of_task:
        assert (row.impressions, row.users_scored) == (0, 0)
        assert row.gauc == {"model": None}
    json.dumps([r.as_dict() for r in table], allow_nan=False)


def test_a_slice_whose_users_have_one_label_each_has_no_gauc():
    scores = {"model": dict.fromkeys(("long_view", "like"), np.arange(6.0))}
    table = gauc_table(impressions(ROWS), scores)
    row = next(r for r in table if (r.task, r.slice) == ("long_view", "new video"))
    assert row.gauc == {"model": None}
    assert row.users_scored == 0
    assert row.impressions == 2
    json.dumps([r.as_dict() for r in table], allow_nan=False)


@pytest.mark.parametrize(
    ("weighting", "weights"), [("impressions", (3, 2)), ("positives", (2, 1))]
)
def test_users_are_weighted_as_told(weighting, weights):
    scores = np.array([0.9, 0.5, 0.1, 0.2, 0.8, 0.4])
    rankings = {"model": {"long_view": scores, "like": scores}}
    table = gauc_table(impressions(ROWS), rankings, weighting)
    # User a has half its pairs in order, user b its only one; c has none.
    expected = (weights[0] * 0.5 + weights[1] * 1.0) / sum(weights)
    assert table[0].gauc["model"] == pytest.approx(expected)


def test_slices_without_rows_are_left_out():
    masks = slice_masks(impressions(ROWS))
    assert list(masks) == ["all", "new", "regular", "new video", "regular video"]
    assert masks["new"].tolist() == [True] * 3 + [False] * 3
    assert masks["new video"].tolist() == [True, False, False, False, True, False]
    old = [row for row in ROWS if not row[2]]
    assert "new video" not in slice_masks(impressions(old))


def test_calibration_bins_hold_equal_counts_in_order_of_score():
    rng = np.random.default_rng(4)
    scores = rng.random(23)
    labels = rng.integers(0, 2, 23).astype(np.float32)
    bins = calibration(labels, scores, bins=5)
    assert [b["impressions"] for b in bins] == [5, 5, 5, 4, 4]
    ranked = sorted(zip(scores, labels, strict=True))
    start = 0
    for part in bins:
        end = start + part["impressions"]
        assert part["score"] == pytest.approx(
            np.mean([s for s, _ in ranked[start:end]])
        )
        assert part["rate"] == pytest.approx(np.mean([y for _, y in ranked[start:end]]))
        start = end


def test_calibration_of_fewer_rows_than_bins_has_no_empty_bin():
    bins = calibration(np.array([0.0, 1.0]), np.array([0.7, 0.1]), bins=10)
    assert bins == [
        {"score": 0.1, "rate": 1.0, "impressions": 1},
        {"score": 0.7, "rate": 0.0, "impressions": 1},
    ]


def test_calibration_leaves_unknown_labels_out():
    labels, scores = np.array([1, -1, 0, -1]), np.array([0.7, 0.9, 0.1, 0.2])
    known = [0, 2]
    assert calibration(labels, scores) == calibration(labels[known], scores[known])
    assert calibration(np.array([-1, -1]), scores[:2]) == []
