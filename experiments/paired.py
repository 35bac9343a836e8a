"""Differences between models over seeds: paired, with the spread over the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.evaluation.rankings import CONTROL, MODEL, PLAIN

MODELS = (PLAIN, CONTROL, MODEL)
DIFFERENCES = ((MODEL, PLAIN), (MODEL, CONTROL), (CONTROL, PLAIN))


@dataclass(frozen=True)
class Spread:
    """A number that every seed has.

    Attributes:
        values: by seed.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the seeds; None with a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def standard_error(self) -> float | None:
        """Of the mean over the seeds; None with a single one."""
        if self.deviation is None:
            return None
        return self.deviation / math.sqrt(len(self.values))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "mean": self.mean,
            "deviation": self.deviation,
            "standard_error": self.standard_error,
        }


@dataclass(frozen=True)
class SliceSpreads:
    """One task on one slice, over the seeds.

    Attributes:
        task: Which label.
        slice: `all`, a user group, or `new video` / `regular video`.
        gauc: GAUC by model, in [0, 1].
        differences: In percentage points, by the two models.
    """

    task: str
    slice: str
    gauc: Mapping[str, Spread]
    differences: Mapping[tuple[str, str], Spread]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "task": self.task,
            "slice": self.slice,
            "gauc": {name: spread.as_dict() for name, spread in self.gauc.items()},
            "differences_pp": {
                f"{first} - {second}": spread.as_dict()
                for (first, second), spread in self.differences.items()
            },
        }


def slice_spreads(results: Sequence[Mapping[str, Any]]) -> list[SliceSpreads]:
    """Each task's slices, in the order of the report.

    Args:
        results: What a report's `metrics.json` holds, by seed, of the same examples.

    Returns:
        Those on which every model of every seed has a GAUC.
    """
    tables = [
        {(row["task"], row["slice"]): row["gauc"] for row in result["gauc"]}
        for result in results
    ]
    spreads = []
    for task, name in tables[0]:
        rows = [table[task, name] for table in tables]
        if any(row[model] is None for row in rows for model in MODELS):
            continue
        gauc = {m: Spread(tuple(row[m] for row in rows)) for m in MODELS}
        differences = {
            (first, second): Spread(
                tuple(100 * (row[first] - row[second]) for row in rows)
            )
            for first, second in DIFFERENCES
        }
        spreads.append(SliceSpreads(task, name, gauc, differences))
    return spreads


def gate_means(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Numbers of the gates, averaged over a model's gates and the seeds, by model."""
    names = ("moved", "between_codes", "between_units")
    return {
        model: {
            name: statistics.fmean(
                row[name] for result in results for row in result["gates"][model]
            )
            for name in names
        }
        for model in results[0]["gates"]
    }
