"""What could be predicted, and what gives it away."""

import numpy as np
import pytest

from preprocessing.log_guess.durations import guess_durations
from preprocessing.log_guess.further_features import guess_features
from preprocessing.log_guess.labels import guess_labels
from preprocessing.log_guess.leaks import label_auc
from tests.preprocessing.log_guess.columns import by_name, profiles

_RANDOM = np.random.default_rng(7)
_ROWS = 600
_CLICK = (_RANDOM.random(_ROWS) < 0.3).astype(int)


def labels_of(keys=(), durations=(), **columns):
    chosen, _ = guess_labels(profiles(**columns), list(keys), list(durations))
    return {guess.name: guess for guess in chosen}


def test_flags_are_labels_by_their_names():
    found = labels_of(is_click=_CLICK, is_weekend=1 - _CLICK)
    assert {name: g.label for name, g in found.items()} == {
        "click": {"column": "is_click"}
    }
    assert found["click"].positive_share == pytest.approx(_CLICK.mean())


def test_a_flag_that_the_user_decides_is_no_outcome():
    users = np.arange(_ROWS) % 20
    columns = by_name(user_id=users, subscribe=users % 2)
    chosen, _ = guess_labels([columns["subscribe"]], [columns["user_id"]], [])
    assert not chosen


def test_a_flag_that_is_hardly_ever_set_is_an_outcome_all_the_same():
    users = np.arange(_ROWS) % 200
    rare = (np.arange(_ROWS) % 149 == 0).astype(int)
    columns = by_name(user_id=users, follow=rare)
    chosen, _ = guess_labels([columns["follow"]], [columns["user_id"]], [])
    assert [(label.name, label.weight) for label in chosen] == [("follow", 0.5)]


def test_true_in_a_text_is_one():
    cells = [("False", "True")[click] for click in _CLICK]
    found = labels_of(clicked=cells)["clicked"]
    assert found.positive.sum() == _CLICK.sum()


def test_behaviours_in_words():
    words = np.array(["pv", "cart", "buy"])[_RANDOM.choice(3, _ROWS, p=[0.7, 0.2, 0.1])]
    found = labels_of(behavior=words.tolist())
    assert found["engaged"].columns["is_engaged"]["equals"] == ["cart", "buy"]
    assert found["buy"].positive.sum() == (words == "buy").sum()


def test_a_rating_is_divided_where_it_halves_the_rows():
    stars = _RANDOM.choice([1, 2, 3, 4, 5], _ROWS, p=[0.1, 0.05, 0.1, 0.2, 0.55])
    found = labels_of(rating=stars)
    assert found["liked"].label == {"column": "rating", "at_least": 5}


def test_watching_with_units_by_name_or_range():
    length = _RANDOM.integers(20, 90, _ROWS)
    columns = {"watch_seconds": length * _RANDOM.random(_ROWS), "duration": length}
    found = guess_durations(profiles(**columns))
    assert [guess.origin for guess in found] == [
        {"column": "watch_seconds", "unit": "s"},
        {"column": "duration", "unit": "s"},
    ]
    labels = labels_of(durations=found, **columns)
    expected = columns["watch_seconds"] >= 0.6 * length
    assert labels["long_view"].positive.sum() == expected.sum()


def test_outcomes_and_leaks_are_no_features():
    users, items = np.arange(_ROWS) % 30, np.arange(_ROWS) % 25
    noise = _RANDOM.normal(size=_ROWS)
    columns = by_name(
        user_id=users,
        item_id=items,
        click=_CLICK,
        tab=_RANDOM.integers(3, size=_ROWS),
        kind=[f"k{item % 4}" for item in items],
        twin=_CLICK * 10 + noise,
        dwell_time=noise,
        filled=[int(n) if c else None for n, c in zip(users, _CLICK, strict=True)],
        same=["x"] * _ROWS,
    )
    labels = list(labels_of(click=_CLICK).values())
    rest = [
        p for name, p in columns.items() if name not in ("user_id", "item_id", "click")
    ]
    extras, left_out = guess_features(
        rest, columns["user_id"], columns["item_id"], labels
    )
    assert [(extra.name, extra.entity) for extra in extras] == [
        ("tab", "context"),
        ("kind", "video"),
    ]
    reasons = dict(left_out)
    assert "gives the label click away" in reasons["twin"]
    assert "gives the label click away" in reasons["filled"]
    assert "after the impression" in reasons["dwell_time"]
    assert reasons["same"] == "constant"


def test_the_auc_is_the_share_of_pairs_in_order():
    labels = _CLICK[:300].astype(float)
    scores = np.round(_RANDOM.normal(size=300) * 2 + labels, 1)
    pairs = [
        float(a > b) + 0.5 * float(a == b)
        for a in scores[labels == 1]
        for b in scores[labels == 0]
    ]
    (profile,) = profiles(score=scores)
    assert profile.distinct > 50  # of few values the labels' means would rank
    assert label_auc(profile, labels) == pytest.approx(np.mean(pairs))
