import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poso_keras import GAUCResult, gauc

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(-3, 3), st.integers(-2, 3)), min_size=1
)


def counted(labels, scores, users, weighting):
    """Counts every pair of a positive and a negative impression of each user."""
    total = weights = 0.0
    scored = impressions = 0
    for user in set(users):
        rows = [
            (y, s) for y, s, u in zip(labels, scores, users, strict=True) if u == user
        ]
        positive = [s for y, s in rows if y]
        negative = [s for y, s in rows if not y]
        if not positive or not negative:
            continue
        wins = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
        counts = {"impressions": len(rows), "positives": len(positive), "none": 1}
        total += counts[weighting] * wins / (len(positive) * len(negative))
        weights += counts[weighting]
        scored += 1
        impressions += len(rows)
    value = total / weights if weights else math.nan
    return GAUCResult(value, len(set(users)), scored, impressions)


@given(ROWS, st.sampled_from(["impressions", "positives", "none"]))
def test_equals_counting_pairs(rows, weighting):
    labels, scores, users = zip(*rows, strict=True)
    actual = gauc(labels, scores, users, weighting)
    expected = counted(labels, scores, users, weighting)
    assert actual.value == pytest.approx(expected.value, rel=1e-12, nan_ok=True)
    assert (actual.users, actual.users_scored, actual.impressions_scored) == (
        expected.users,
        expected.users_scored,
        expected.impressions_scored,
    )


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_scale_of_scores_do_not_matter(rows, random):
    labels, scores, users = map(np.array, zip(*rows, strict=True))
    order = list(range(len(rows)))
    random.shuffle(order)
    expected = gauc(labels, scores, users)
    shuffled = gauc(labels[order], np.exp(scores[order]), users[order])
    assert shuffled == expected or math.isnan(expected.value)


@given(ROWS)
def test_swapping_the_classes_gives_the_complement(rows):
    labels, scores, users = map(np.array, zip(*rows, strict=True))
    expected = 1 - gauc(labels, scores, users).value
    assert gauc(~labels, scores, users).value == pytest.approx(expected, nan_ok=True)


def test_user_ids_of_every_kind_give_the_same():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 100_000, 500) % 97 * 2**45  # spread over several digits
    labels, scores = rng.random(500) < 0.3, rng.normal(size=500)
    text = np.array([f"user {i}" for i in ids])
    expected = gauc(labels, scores, ids)
    assert expected.users == len(set(ids))
    for user_ids in (-ids, ids.astype("uint64"), text, text.astype("S")):
        assert gauc(labels, scores, user_ids) == expected
        assert gauc(labels, scores, user_ids.astype(object)) == expected
        assert gauc(labels, scores, user_ids.tolist()) == expected


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_score_types_and_columns(dtype):
    labels = np.array([[1.0], [0.0], [1.0]], "float32")
    scores = np.array([[3], [2], [1]], dtype)
    assert gauc(labels, scores, [[5], [5], [5]]).value == 0.5


@pytest.mark.parametrize(
    "scores",
    [
        1 + 1e-15 * np.arange(-5, 5),
        1e300 * np.arange(-5, 5),
        2**40 * np.arange(-5, 5),
        2**59 * np.arange(-16, 16, 3, dtype="int64"),
        2**60 * np.arange(11, dtype="uint64"),
        -0.5 - np.arange(10, dtype="float32"),
    ],
    ids=["close", "huge", "wide", "int64", "uint64", "negative"],
)
def test_scores_that_no_32_bit_type_holds_keep_their_order(scores):
    rng = np.random.default_rng(1)
    labels, users = rng.random(400) < 0.4, rng.integers(-(2**62), 2**62, 9)
    picked, user_ids = rng.integers(0, len(scores), 400), rng.choice(users, 400)
    order = np.argsort(np.argsort(scores))
    expected = counted(labels, order[picked], user_ids, "impressions")
    assert gauc(labels, scores[picked], user_ids).value == pytest.approx(expected.value)


def test_negative_and_positive_zero_are_tied():
    for dtype in ("float32", "float64"):
        assert gauc([1, 0], np.array([-0.0, 0.0], dtype), [1, 1]).value == 0.5
        assert gauc([1, 0], np.array([0.0, -0.0], dtype), [1, 1]).value == 0.5


def test_infinite_scores_are_ordered_and_tied():
    inf = math.inf
    assert gauc([1, 0, 0, 1], [inf, inf, -inf, 0], [1, 1, 1, 1]).value == 0.625


def test_nobody_can_be_scored():
    result = gauc([1, 1, 0], [0.1, 0.2, 0.3], ["a", "a", "b"])
    assert math.isnan(result.value)
    assert (result.users, result.users_scored, result.impressions_scored) == (2, 0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, -1]), st.integers(-3, 3), st.integers(0, 3)),
        min_size=1,
    ),
    st.sampled_from(["impressions", "positives", "none"]),
    st.sampled_from([-1, 7, -1.5, math.nan]),
)
def test_impressions_of_unknown_label_are_as_good_as_absent(rows, weighting, unknown):
    known = [row for row in rows if row[0] >= 0]
    labels, scores, users = map(list, zip(*rows, strict=True))
    labels = [unknown if label < 0 else label for label in labels]
    # Not even a score or a user is needed where the label is unknown.
    scores = [math.nan if row[0] < 0 else row[1] for row in rows]
    actual = gauc(labels, scores, users, weighting, unknown_label=unknown)
    if not known:
        assert (actual.users, actual.users_scored) == (0, 0)
        assert math.isnan(actual.value)
        return
    expected = gauc(*zip(*known, strict=True), weighting)
    assert actual == expected or math.isnan(expected.value)
    assert actual.users == expected.users


@pytest.mark.parametrize(
    "labels",
    [
        np.array([1, 0, -1], "int8"),
        np.array([[1], [0], [-1]], "float32"),
        np.array([1, 0, -1], object),
    ],
)
def test_labels_of_any_type_may_be_unknown(labels):
    result = gauc(labels, [0.9, 0.1, 0.5], [1, 1, None], unknown_label=-1)
    assert (result.value, result.users, result.impressions_scored) == (1.0, 1, 2)


def test_every_label_is_known_where_none_is_the_unknown_one():
    rows = ([True, False], [0.9, 0.1], [1, 1])
    assert gauc(*rows, unknown_label=-1) == gauc(*rows)
    unsigned = (np.array([1, 0], "uint8"), *rows[1:])
    assert gauc(*unsigned, unknown_label=-1) == gauc(*rows)


@pytest.mark.parametrize("unknown", [0, 1, True, 1.0, "-1", [-1]])
def test_an_unknown_label_is_a_number_that_is_no_class(unknown):
    with pytest.raises(ValueError, match="`unknown_label` must be a number other"):
        gauc([1, 0], [0.9, 0.1], [1, 1], unknown_label=unknown)


UNKNOWN = np.array([np.nan, "a"], object)
UNHASHABLE = np.array([{}, {}])
MASKED = np.ma.array([1, 0], mask=[True, False])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (([], [], []), "at least one impression. Received: 0"),
        (([1, 0], [1.0], [1, 1]), "same length. Received: 2, 1 and 2"),
        (([1, 2], [1.0, 2.0], [1, 1]), "`labels` must be 0 or 1. Received: 2"),
        (([1, np.nan], [1.0, 2.0], [1, 1]), "`labels` must be 0 or 1. Received: nan"),
        ((["1", "0"], [1.0, 2.0], [1, 1]), "`labels` must be 0 or 1. Received: dtype"),
        (([1, 0], [1.0, np.nan], [1, 1]), "`scores` must not be NaN. Received: 1 NaN"),
        (([1, 0], [1.0, 2.0], [1.5, 1.0]), "`user_ids` must be .* Received: dtype"),
        (([[1, 0]], [1.0, 2.0], [1, 1]), r"`labels` must have shape .*: \(1, 2\)"),
        (([1, 0], [1.0, None], [1, 1]), "`scores` must not be NaN. Received: 1 NaN"),
        (([1, 0], ["1", "2"], [1, 1]), "`scores` must be numbers. Received: dtype"),
        (([1, 0], [1j, 2], [1, 1]), "`scores` must be numbers. Received: dtype"),
        (([1, 0], [{}, 2], [1, 1]), "`scores` must be numbers. Received: float"),
        (([[1], [0, 1]], [1, 2], [1, 1]), "`labels` must have shape .* Received: "),
        (([1, 0], [1, 2], ["a", None]), "`user_ids` must not be .* None in row 1"),
        (([1, 0], [1, 2], UNKNOWN), "`user_ids` must not be .* nan in row 0"),
        (([1, 0], [1, 2], UNHASHABLE), "`user_ids` must be .* Received: unhashable"),
        ((MASKED, [1, 2], [1, 1]), "`labels` must have no masked entries"),
        (([1, 0], MASKED, [1, 1]), "`scores` must have no masked entries"),
        (([1, 0], [1, 2], [1, 1], "users"), "`weighting` must .* Received: 'users'"),
    ],
)
def test_wrong_input_is_named(args, message):
    with pytest.raises(ValueError, match=message):
        gauc(*args)


def test_python_numbers_of_any_kind_are_scores_and_masks_of_nothing_are_taken():
    labels, scores, users = [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.8], ["a", "a", "b", "b"]
    expected = gauc(labels, scores, users)
    decimals = [Decimal(str(score)) for score in scores]
    unmasked = np.ma.array(labels, mask=[False] * 4)
    encoded = [user.encode() for user in users]
    assert gauc(unmasked, decimals, encoded) == expected
