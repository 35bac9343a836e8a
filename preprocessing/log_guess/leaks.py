"""Whether a column gives a label away: alone it tells the label almost surely."""

from __future__ import annotations

import numpy as np

from preprocessing.log_guess.profiles import ColumnProfile

_MOST_VALUES = 50
_LEAST_ROWS = 30  # of each label
SUSPICIOUS_AUC = 0.95


def label_auc(profile: ColumnProfile, positive: np.ndarray) -> float:
    """The best AUC at which a column ranks the rows that have a label first.

    By its numbers in either direction, by whether it is null, or (of few distinct
    values) by the mean label of each value.

    Args:
        profile: The column.
        positive: float64 [rows], NaN for unknown.

    Returns:
        0.5 to 1; 0.5 with too few rows of one label.
    """
    known = ~np.isnan(positive)
    labels = positive[known] > 0
    if min(labels.sum(), (~labels).sum()) < _LEAST_ROWS:
        return 0.5
    scores = [profile.known[known].astype(float)]
    if profile.is_number:
        numbers = profile.numbers[known]
        scores.append(np.where(np.isnan(numbers), -np.inf, numbers))
    if profile.distinct <= _MOST_VALUES:
        codes = profile.codes[known] + 1
        rows = np.bincount(codes)
        means = np.bincount(codes, weights=labels) / np.maximum(rows, 1)
        scores.append(means[codes])
    return max(abs(_auc(labels, score) - 0.5) for score in scores) + 0.5


def _auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The share of pairs that are in order; equal scores count half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    positives = int(labels.sum())
    negatives = len(labels) - positives
    total = float(ranks[labels].sum()) - positives * (positives + 1) / 2
    return total / (positives * negatives)
