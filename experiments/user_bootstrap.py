"""GAUC and AUC with intervals over users, who are drawn anew with all they were shown.

A log's impressions are not independent, its users nearly are: each draw takes as many
users as there are, with replacement, and a user who is drawn twice counts as two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ROWS_AT_ONCE = 1 << 21  # draws times impressions that are worked on at a time


@dataclass(frozen=True)
class RankedRows:
    """Impressions as one ranking has them; every array is [rows].

    Attributes:
        users: The user's number, the same in all that are drawn together.
        positive: bool, the label.
        scores: Higher means more likely positive.
    """

    users: np.ndarray
    positive: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Interval:
    """A number and where it lies in 95 of 100 draws.

    Attributes:
        value: Of the users as they are.
        low: 2.5 % of the draws are below.
        high: 2.5 % of the draws are above.
    """

    value: float
    low: float
    high: float


def drawn_users(users: int, draws: int, seed: int) -> np.ndarray:
    """How often each user is there, uint16 [1 + draws, users].

    In the first row that is once: what is computed of it is of the users as they are.
    """
    random = np.random.default_rng(seed)
    times = np.ones((1 + draws, users), np.uint16)
    for row in times[1:]:
        row[:] = np.bincount(random.integers(users, size=users), minlength=users)
    return times


def interval(by_draw: np.ndarray) -> Interval:
    """The interval of a number of each draw, [1 + draws], the first the users' own.

    Draws without a value (NaN), in which no user could be scored, are left out.
    """
    drawn = by_draw[1:][~np.isnan(by_draw[1:])]
    if not len(drawn):
        return Interval(float(by_draw[0]), float("nan"), float("nan"))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(by_draw[0]), float(low), float(high))


def gauc_by_draw(
    rows: RankedRows, times: np.ndarray, weighting: str = "impressions"
) -> np.ndarray:
    """The GAUC of each draw, as `poso_keras.gauc` defines it.

    Args:
        rows: What was ranked.
        times: How often each user is there, [draws, users].
        weighting: Of users: `"impressions"`, `"positives"` or `"none"`.

    Returns:
        float64 [draws]; NaN where no user of the draw has both labels.
    """
    users, auc, impressions, positives = _user_auc(rows)
    weights = {
        "impressions": impressions,
        "positives": positives,
        "none": np.ones_like(impressions),
    }[weighting].astype(np.float64)
    found = np.full(len(times), np.nan)
    for part in _parts(len(times), len(users)):
        there = times[part][:, users].astype(np.float64)
        total = there @ weights
        np.divide(there @ (weights * auc), total, out=found[part], where=total > 0)
    return found


def auc_by_draw(rows: RankedRows, times: np.ndarray) -> np.ndarray:
    """The AUC over all impressions of each draw, ties counting half.

    Impressions are sorted once. A draw is weights of them: of each score's positives
    those negatives are counted that are below, and half of those that are tied.

    Args:
        rows: What was ranked.
        times: How often each user is there, [draws, users].

    Returns:
        float64 [draws]; NaN where a draw has one label alone.
    """
    found = np.full(len(times), np.nan)
    if not len(rows.scores):
        return found
    order = np.argsort(rows.scores, kind="stable")
    users, positive, scores = (
        values[order] for values in (rows.users, rows.positive, rows.scores)
    )
    starts = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    for part in _parts(len(times), len(scores)):
        weights = times[part][:, users].astype(np.int64)
        positives = np.add.reduceat(weights * positive, starts, axis=1)
        negatives = np.add.reduceat(weights * ~positive, starts, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives
        twice = (positives * (2 * below + negatives)).sum(axis=1)
        pairs = positives.sum(axis=1) * negatives.sum(axis=1)
        np.divide(twice, 2 * pairs, out=found[part], where=pairs > 0)
    return found


def _user_auc(
    rows: RankedRows,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Users with both labels, their AUC, impressions and positives, each [users].

    By the average ranks of the positives, `AUC = (R - P (P + 1) / 2) / (P N)`.
    """
    if not len(rows.users):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0)
    order = np.lexsort((rows.scores, rows.users))
    users, positive, scores = (
        values[order] for values in (rows.users, rows.positive, rows.scores)
    )
    other_user = np.append(True, users[1:] != users[:-1])
    starts = np.flatnonzero(other_user)
    impressions = np.diff(starts, append=len(users))
    positives = np.add.reduceat(positive.astype(np.int64), starts)
    # Rows that are tied have the mean of their ranks, which within a user begin at 1.
    ties = np.flatnonzero(other_user | np.append(True, scores[1:] != scores[:-1]))
    tied = np.diff(ties, append=len(users))
    ranks: np.ndarray = np.repeat(ties + (tied + 1) / 2, tied)
    ranks -= np.repeat(starts, impressions)
    rank_sums = np.add.reduceat(ranks * positive, starts)
    pairs = positives * (impressions - positives)
    both = pairs > 0
    wins = rank_sums - positives * (positives + 1) / 2
    auc = wins[both] / pairs[both]
    return users[starts][both], auc, impressions[both], positives[both]


def _parts(draws: int, width: int) -> Iterator[slice]:
    """Draws that are worked on together, so that they fit into memory."""
    step = max(1, _ROWS_AT_ONCE // max(1, width))
    for start in range(0, draws, step):
        yield slice(start, start + step)
