"""GAUC: the area under the ROC curve within each user, averaged over users."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

WEIGHTINGS = ("impressions", "positives", "none")


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

    Returns:
        The value and what it rests on. The value is nan if no user has both classes.

    Raises:
        ValueError: if the arrays are empty or of different lengths, a label is not
            0 or 1, a score is NaN, or the weighting is unknown.

    Example:
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
    positive = _as_positive(_as_column("labels", labels))
    score = _as_score(_as_column("scores", scores))
    user = _as_column("user_ids", user_ids)
    if not len(positive) == len(score) == len(user):
        raise ValueError(
            "`labels`, `scores` and `user_ids` must have the same length. Received: "
            f"{len(positive)}, {len(score)} and {len(user)}"
        )
    if not len(positive):
        raise ValueError("`labels` must hold at least one impression. Received: 0")
    auc, impressions, positives = _auc_by_user(positive, score, _as_codes(user))
    scored = (positives > 0) & (positives < impressions)
    weights = {
        "impressions": impressions,
        "positives": positives,
        "none": np.ones_like(impressions),
    }[weighting][scored]
    # An exactly rounded sum does not depend on the order of the users.
    total = math.fsum(weights)
    return GAUCResult(
        value=math.fsum(auc[scored] * weights) / total if total else math.nan,
        users=len(impressions),
        users_scored=int(scored.sum()),
        impressions_scored=int(impressions[scored].sum()),
    )


def _auc_by_user(
    positive: npt.NDArray[np.bool_],
    score: npt.NDArray[Any],
    user: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns each user's AUC, impressions and positives.

    By the rank sum of the positives: `AUC = (R - P (P + 1) / 2) / (P N)`.
    """
    order = _group_by_user(np.argsort(score), user)
    user, score, positive = user[order], score[order], positive[order]
    rows = np.arange(len(order) + 1)

    new_user = np.append(True, user[1:] != user[:-1])
    user_start = np.flatnonzero(new_user)
    impressions = np.diff(np.append(user_start, len(order)))
    positives = np.add.reduceat(positive, user_start, dtype=np.int64)

    tie_start = np.flatnonzero(new_user | np.append(True, score[1:] != score[:-1]))
    tie_end = np.append(tie_start[1:], len(order))
    # Twice the average rank of a tie, counted from the start of all rows.
    twice_rank = np.repeat(rows[tie_start] + tie_end + 1, tie_end - tie_start)
    twice_rank[~positive] = 0
    rank_sum = np.add.reduceat(twice_rank, user_start) / 2 - positives * user_start

    pairs = positives * (impressions - positives)
    wins = rank_sum - positives * (positives + 1) / 2
    return wins / np.maximum(pairs, 1), impressions, positives


def _group_by_user(
    order: npt.NDArray[np.int64], user: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """Moves each user's rows together and keeps their order: a radix sort.

    NumPy sorts 16-bit integers in linear time, so this costs less than one sort.
    """
    digits = user - user.min()
    for shift in range(0, int(digits.max()).bit_length(), 16):
        digit = (digits >> np.uint64(shift)).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def _as_column(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"`{name}` must have shape [n] or [n, 1]. Received: {array.shape}"
        )
    return array


def _as_positive(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if labels.dtype.kind not in "biufO":
        raise ValueError(f"`labels` must be 0 or 1. Received: dtype {labels.dtype}")
    positive = np.equal(labels, 1).astype(bool)
    wrong = ~(positive | np.equal(labels, 0).astype(bool))
    if wrong.any():
        raise ValueError(f"`labels` must be 0 or 1. Received: {labels[wrong][0]}")
    return positive


def _as_score(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if scores.dtype.kind in "biu":
        return scores
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    missing = np.isnan(scores)
    if missing.any():
        raise ValueError(
            "`scores` must not be NaN. "
            f"Received: {int(missing.sum())} NaN of {len(scores)}"
        )
    return scores


def _as_codes(user_ids: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Replaces user ids by numbers, different ones for different users."""
    if user_ids.dtype.kind in "biu":
        return user_ids.astype(np.int64, copy=False).view(np.uint64)
    if user_ids.dtype.kind not in "USO":
        raise ValueError(
            "`user_ids` must be integers, strings or bytes. "
            f"Received: dtype {user_ids.dtype}"
        )
    codes: dict[Any, int] = {}
    return np.fromiter(
        (codes.setdefault(user_id, len(codes)) for user_id in user_ids.tolist()),
        np.uint64,
        len(user_ids),
    )
