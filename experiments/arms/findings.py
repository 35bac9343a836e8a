"""GAUC and AUC of both arms and their trees, and what one is ahead of another by."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from experiments.arms.day_arms import WITH, WITHOUT
from experiments.arms.scored_rows import ScoredRows
from experiments.user_bootstrap import (
    Interval,
    RankedRows,
    auc_by_draw,
    drawn_users,
    gauc_by_draw,
    interval,
)
from preprocessing.contract.column_names import UNKNOWN_LABEL

MODEL, TREES = "model", "trees"


class Ranking(NamedTuple):
    """What ranks: a model or trees, of one arm."""

    what: str
    arm: str

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.what} {self.arm}"


class Measure(NamedTuple):
    """A number of a ranking, on a slice of the impressions."""

    metric: str
    slice: str


RANKINGS = tuple(Ranking(w, a) for w in (MODEL, TREES) for a in (WITHOUT, WITH))
DIFFERENCES = tuple(
    (Ranking(*first), Ranking(*second))
    for first, second in (
        ((MODEL, WITH), (MODEL, WITHOUT)),
        ((TREES, WITH), (TREES, WITHOUT)),
        ((MODEL, WITH), (TREES, WITH)),
        ((MODEL, WITHOUT), (TREES, WITHOUT)),
    )
)
MEASURES = (Measure("gauc", "all"), Measure("gauc", "new"), Measure("auc", "all"))

# The scores of each day's rankings, by seed; trees have one.
Scored = Mapping[datetime.date, Mapping[Ranking, Sequence[ScoredRows]]]


@dataclass(frozen=True)
class Finding:
    """One number of a task.

    Attributes:
        what: A ranking, or one less another.
        measure: Of what.
        day: None for the mean over the days.
        interval: Over users; of a ranking in [0, 1], of a difference in percentage
            points. The mean over the seeds.
        by_seed: The number of each seed; of trees alone there is one.
    """

    what: str
    measure: Measure
    day: datetime.date | None
    interval: Interval
    by_seed: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; None is a number that there is not."""
        numbers = (self.interval.value, self.interval.low, self.interval.high)
        value, low, high = map(_number, numbers)
        return {
            "what": self.what,
            "metric": self.measure.metric,
            "slice": self.measure.slice,
            "day": None if self.day is None else self.day.isoformat(),
            "value": value,
            "low": low,
            "high": high,
            "by_seed": [_number(seed) for seed in self.by_seed],
        }


class Findings:
    """Computes the numbers of several days, whose users are drawn together.

    Args:
        scored: By day and ranking.
        weighting: Of users in GAUC, as in `poso_keras.gauc`.
        draws: Of the users.
        seed: Of the draws.

    Raises:
        ValueError: Rankings of a day have ranked different impressions.
    """

    def __init__(self, scored: Scored, weighting: str, draws: int, seed: int):
        _check_same_impressions(scored)
        self._scored = scored
        self._weighting = weighting
        self._draws = (draws, seed)

    @cached_property
    def user_ids(self) -> np.ndarray:
        """All users of all days, in order; bytes."""
        days = [next(iter(of.values()))[0].user_ids for of in self._scored.values()]
        return np.unique(np.concatenate(days))

    def of_task(self, task: str) -> list[Finding]:
        """Every ranking's and difference's numbers: of all days, then of each."""
        days = list(self._scored)
        found = []
        for measure in MEASURES:
            by_day = {day: self._by_seed(day, task, measure) for day in days}
            shown = [r for r in RANKINGS if all(r in of for of in by_day.values())]
            means = {r: _mean([by_day[day][r] for day in days]) for r in shown}
            found += _findings(measure, None, means)
            for day, of_day in by_day.items():
                found += _findings(measure, day, of_day)
        return found

    def _by_seed(
        self, day: datetime.date, task: str, measure: Measure
    ) -> dict[Ranking, np.ndarray]:
        """The numbers of a day's rankings that score a task: [seeds, 1 + draws]."""
        return {
            ranking: np.stack([self._numbers(rows, task, measure) for rows in of])
            for ranking, of in self._scored[day].items()
            if all(task in rows.scores for rows in of)
        }

    def _numbers(self, rows: ScoredRows, task: str, measure: Measure) -> np.ndarray:
        kept = rows.labels[task] != UNKNOWN_LABEL
        if measure.slice == "new":
            kept &= rows.new
        ranked = RankedRows(
            users=np.searchsorted(self.user_ids, rows.user_ids[kept]),
            positive=rows.labels[task][kept] == 1,
            scores=rows.scores[task][kept],
        )
        if measure.metric == "auc":
            return auc_by_draw(ranked, self._times)
        return gauc_by_draw(ranked, self._times, self._weighting)

    @cached_property
    def _times(self) -> np.ndarray:
        return drawn_users(len(self.user_ids), *self._draws)


def _findings(
    measure: Measure,
    day: datetime.date | None,
    rankings: Mapping[Ranking, np.ndarray],
) -> list[Finding]:
    """The findings of numbers by ranking, [seeds, 1 + draws]."""
    found = [
        _finding(ranking.title, measure, day, rankings[ranking])
        for ranking in RANKINGS
        if ranking in rankings
    ]
    for first, second in DIFFERENCES:
        if first in rankings and second in rankings:
            # Seed by seed; one ranking of trees stands for all seeds.
            less = 100 * (rankings[first] - rankings[second])
            title = f"{first.title} - {second.title}"
            found.append(_finding(title, measure, day, less))
    return found


def _finding(
    what: str, measure: Measure, day: datetime.date | None, numbers: np.ndarray
) -> Finding:
    by_seed = tuple(float(number) for number in numbers[:, 0])
    return Finding(what, measure, day, interval(numbers.mean(axis=0)), by_seed)


def _mean(days: Sequence[np.ndarray]) -> np.ndarray:
    """Over days, [seeds, 1 + draws]."""
    return np.mean(np.stack(days), axis=0)


def _check_same_impressions(scored: Scored) -> None:
    """Both arms' days must be the same, or their difference is not of the arms."""
    for day, rankings in scored.items():
        counted = {
            ranking: [_impressions(rows) for rows in of]
            for ranking, of in rankings.items()
        }
        expected = next(iter(counted.values()))[0]
        for ranking, of_seeds in counted.items():
            for found in of_seeds:
                if found != expected:
                    raise ValueError(
                        f"{day}: all must rank the same impressions, but those of "
                        f"the {ranking.title} have other users or labels. Remove the "
                        "day's folder and run again"
                    )


def _impressions(rows: ScoredRows) -> bytes:
    """Users and labels, in an order that does not depend on that of the rows."""
    columns = [rows.user_ids, rows.new, *rows.labels.values()]
    order = np.lexsort(columns[::-1])
    return b"".join(column[order].tobytes() for column in columns)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
