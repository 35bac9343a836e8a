"""GAUC: the area under the ROC curve within each user, averaged over users."""

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

WEIGHTINGS = ("impressions", "positives", "none")

# A row is one number: the user's bits, the score's, and the label's.
_USER_BITS, _SCORE_BITS = 31, 32
_USER_SHIFT, _SCORE_SHIFT = np.uint64(33), np.uint64(1)
_BLOCK = 1 << 15  # rows that stay in the cache between two operations


@dataclass(frozen=True)
class GAUCResult:
    """The GAUC of a data set and how much of it could be scored.

    Attributes:
        value: the weighted mean of the users' AUC; nan if no user has both classes.
        users: number of users.
        users_scored: number of users with both classes.
        impressions_scored: number of impressions of the scored users.
    """

    value: float
    users: int
    users_scored: int
    impressions_scored: int


def gauc(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    user_ids: npt.ArrayLike,
    weighting: str = "impressions",
    unknown_label: float | None = None,
) -> GAUCResult:
    """Computes the AUC within each user, averaged over users (Sec. 5.1).

    Formula: `sum_u w_u AUC_u / sum_u w_u`, where `AUC_u` is the probability that a
    positive impression of the user scores above a negative one, ties counting half.
    It is exact: average ranks, no thresholds. Users whose impressions are all of one
    class have no AUC and are left out.

    Args:
        labels: [n] or [n, 1], 0 or 1 (or booleans).
        scores: [n] or [n, 1], any finite or infinite numbers; a higher score means
            more likely positive.
        user_ids: [n] or [n, 1], integers, strings or bytes.
        weighting: the weight of a user: `"impressions"` (the number of the user's
            samples, as in the paper), `"positives"` (of the positive ones) or
            `"none"` (all users alike).
        unknown_label: the label of impressions whose class is not known, such as -1
            or nan; they are left out, as if they were in none of the arrays. None if
            all labels are known.

    Returns:
        The value and what it rests on. The value is nan if no user has both classes.

    Raises:
        ValueError: if the arrays are empty, masked or of different lengths, a label is
            not 0 or 1, a score is NaN or no number, a user id is missing, the
            weighting is unknown, or `unknown_label` is 0, 1 or no number.

    Examples:
        >>> result = gauc([1, 0, 1, 1], [0.9, 0.2, 0.1, 0.3], ["a", "a", "b", "b"])
        >>> result.value, result.users, result.users_scored
        (1.0, 2, 1)

    References:
        - Zhou et al., Deep Interest Network for Click-Through Rate Prediction,
          KDD 2018.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(
            f"`weighting` must be one of {WEIGHTINGS}. Received: {weighting!r}"
        )
    check_unknown_label(unknown_label)
    label = _as_column("labels", labels)
    score = _as_column("scores", scores)
    user = _as_column("user_ids", user_ids)
    if not len(label) == len(score) == len(user):
        raise ValueError(
            "`labels`, `scores` and `user_ids` must have the same length. Received: "
            f"{len(label)}, {len(score)} and {len(user)}"
        )
    if not len(label):
        raise ValueError("`labels` must hold at least one impression. Received: 0")
    if unknown_label is not None:
        known = ~_is_equal(label, unknown_label)
        label, score, user = label[known], score[known], user[known]
        if not len(label):
            return GAUCResult(math.nan, users=0, users_scored=0, impressions_scored=0)
    positive = _as_positive(label)
    auc, impressions, positives = _auc_by_user(
        _packed(_user_codes(user), _score_codes(score), positive)
    )
    scored = (positives > 0) & (positives < impressions)
    weights = {
        "impressions": impressions,
        "positives": positives,
        "none": np.ones_like(impressions),
    }[weighting][scored]
    total = int(weights.sum())
    return GAUCResult(
        # An exactly rounded sum does not depend on the order of the users.
        value=math.fsum((auc[scored] * weights).tolist()) / total
        if total
        else math.nan,
        users=len(impressions),
        users_scored=int(scored.sum()),
        impressions_scored=int(impressions[scored].sum()),
    )


def check_unknown_label(unknown_label: float | None) -> None:
    """Raises ValueError if `unknown_label` is a class, 0 or 1, or no number."""
    if unknown_label is None:
        return
    if not isinstance(unknown_label, numbers.Real) or unknown_label in (0, 1):
        raise ValueError(
            "`unknown_label` must be a number other than 0 and 1, or None. "
            f"Received: {unknown_label!r}"
        )


def _packed(
    user: npt.NDArray[np.uint64],
    score: npt.NDArray[np.uint32],
    positive: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint64]:
    """Packs each row into one number, in the users' memory; sorting sorts by all."""
    for start in range(0, len(user), _BLOCK):
        rows = slice(start, start + _BLOCK)
        user[rows] <<= _USER_SHIFT
        user[rows] |= score[rows].astype(np.uint64) << _SCORE_SHIFT
        user[rows] |= positive[rows]
    return user


def _auc_by_user(
    key: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns each user's AUC, impressions and positives; sorts the keys in place.

    By the ranks of the positives, `AUC = (R - P (P + 1) / 2) / (P N)`, as if each won
    over the negatives it is tied with, which sort before it; half of that is taken off.
    """
    key.sort()
    # Neighbours differ from this bit on: in the user, in the score, in the label.
    change = key[1:] ^ key[:-1]
    user_start = _starts(change, 1 << int(_USER_SHIFT))
    positive_rows = np.flatnonzero((key.astype(np.uint8) & 1).view(bool))
    first_positive = np.searchsorted(positive_rows, user_start)
    impressions = np.diff(user_start, append=len(key))
    positives = np.diff(first_positive, append=len(positive_rows))

    row_sum = np.append(0, np.cumsum(positive_rows))
    rank_sum = row_sum[first_positive + positives] - row_sum[first_positive]
    rank_sum -= positives * (user_start - 1)
    wins = rank_sum - positives * (positives + 1) / 2

    mixed_row = np.flatnonzero(change == 1) + 1  # a tie's first positive
    if len(mixed_row):
        tie_start = np.append(_starts(change, 2), len(key))
        tie = np.searchsorted(tie_start, mixed_row, side="right") - 1
        tied_pairs = (mixed_row - tie_start[tie]) * (tie_start[tie + 1] - mixed_row)
        user = np.searchsorted(user_start, mixed_row, side="right") - 1
        wins -= np.bincount(user, tied_pairs, len(user_start)) / 2

    pairs = positives * (impressions - positives)
    return wins / np.maximum(pairs, 1), impressions, positives


def _starts(change: npt.NDArray[np.uint64], least: int) -> npt.NDArray[np.int64]:
    """Returns the rows that differ from the one before by `least` or more, and 0."""
    starts = np.ones(len(change) + 1, bool)
    np.greater_equal(change, np.uint64(least), out=starts[1:])
    return np.flatnonzero(starts)


def _as_column(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    if np.ma.is_masked(values):  # type: ignore[no-untyped-call]  # NumPy's
        raise ValueError(
            f"`{name}` must have no masked entries: leave the impressions out of all "
            "three. Received: a masked array"
        )
    try:
        array = np.asarray(values)
    except ValueError as error:  # lists of unequal lengths
        raise ValueError(
            f"`{name}` must have shape [n] or [n, 1]. Received: {error}"
        ) from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"`{name}` must have shape [n] or [n, 1]. Received: {array.shape}"
        )
    return array


def _as_positive(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    positive = _is_equal(labels, 1)
    wrong = ~(positive | _is_equal(labels, 0))
    if wrong.any():
        raise ValueError(f"`labels` must be 0 or 1. Received: {labels[wrong][0]}")
    return positive


def _is_equal(labels: npt.NDArray[Any], value: float) -> npt.NDArray[np.bool_]:
    """Which labels are a value; nan is equal to nan."""
    if labels.dtype.kind not in "biufO":
        raise ValueError(f"`labels` must be 0 or 1. Received: dtype {labels.dtype}")
    same = np.not_equal if math.isnan(value) else np.equal
    try:
        return same(labels, labels if math.isnan(value) else value).astype(bool)
    except (TypeError, ValueError) as error:  # pandas.NA is neither equal nor unequal
        raise ValueError(f"`labels` must be 0 or 1. Received: {error}") from error


def _score_codes(scores: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Replaces scores by numbers below 2 ** 32 of the same order."""
    if scores.dtype.kind in "biu":
        return _integer_codes(scores, _SCORE_BITS).astype(np.uint32)
    scores = _as_numbers(scores)
    missing = np.isnan(scores)
    if missing.any():
        raise ValueError(
            "`scores` must not be NaN. "
            f"Received: {int(missing.sum())} NaN of {len(scores)}"
        )
    with np.errstate(over="ignore"):
        single = scores.astype(np.float32)
    if scores.dtype.itemsize > single.itemsize and (single != scores).any():
        ranks: npt.NDArray[np.int64] = np.unique(scores, return_inverse=True)[1]
        return ranks.astype(np.uint32)
    single += np.float32(0)  # -0.0 becomes 0.0
    # As unsigned numbers, negative floats are in descending order.
    bits = single.view(np.int32)
    bits ^= (bits >> 31) | np.int32(-(1 << 31))
    codes: npt.NDArray[np.uint32] = bits.view(np.uint32)
    return codes


def _as_numbers(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Scores of a floating type; Python numbers become float64, None becomes NaN."""
    if scores.dtype.kind in "cmMSU":
        raise ValueError(f"`scores` must be numbers. Received: dtype {scores.dtype}")
    if scores.dtype.kind != "O":
        return scores
    try:
        return scores.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`scores` must be numbers. Received: {error}") from error


def _user_codes(user_ids: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Replaces user ids by numbers below 2 ** 31, different ones for each user."""
    if user_ids.dtype.kind in "biu":
        return _integer_codes(user_ids, _USER_BITS)
    if user_ids.dtype.kind not in "USO":
        raise ValueError(
            "`user_ids` must be integers, strings or bytes. "
            f"Received: dtype {user_ids.dtype}"
        )
    codes: dict[Any, int] = {}
    try:
        rows = np.fromiter(
            (codes.setdefault(user_id, len(codes)) for user_id in user_ids.tolist()),
            np.uint64,
            len(user_ids),
        )
    except TypeError as error:  # unhashable
        raise ValueError(
            f"`user_ids` must be integers, strings or bytes. Received: {error}"
        ) from error
    missing = [user_id for user_id in codes if _is_missing(user_id)]
    if missing:
        raise ValueError(
            f"`user_ids` must not be missing. Received: {missing[0]!r} in row "
            f"{int(np.argmax(rows == codes[missing[0]]))}"
        )
    return rows


def _is_missing(user_id: Any) -> bool:
    """Whether it is None, NaN, or what else equals not even itself, as pandas.NA."""
    try:
        return user_id is None or bool(user_id != user_id)
    except TypeError:
        return True


def _integer_codes(values: npt.NDArray[Any], bits: int) -> npt.NDArray[np.uint64]:
    """Replaces integers by numbers below 2 ** bits of the same order."""
    wide = values if values.dtype == np.uint64 else values.astype(np.int64, copy=False)
    # Differences from the smallest fit in 64 bits even where they wrap around.
    codes: npt.NDArray[np.uint64] = (wide - wide.min()).view(np.uint64)
    if int(codes.max()) >> bits:
        codes = np.unique(codes, return_inverse=True)[1].astype(np.uint64)
    return codes
