"""What a run on a log would cost, by what runs were measured to take.

The rates are those of `docs/benchmarks.md`, "The whole pipeline" and "Training": two
cores, from the difference of a run on 0.15 M rows and one on 1 M. They say what order
of time to expect, not more: a wider model is slower, more cores are faster.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from pipeline.config import RunConfig

# Seconds at the start, and seconds for each million rows of the log.
_PARTS = {
    "ImpressionExampleGen": (2.0, 38.0),
    "StatisticsGen": (3.0, 1.5),
    "Transform": (15.0, 34.0),
}
_AFTER = {"Evaluator": (4.0, 7.0), "ReportGen": (3.0, 12.5)}
_IMPORTS_S, _TRIAL_S = 20.0, 15.0
_TRAINING_START_S, _EXAMPLES_PER_S = 35.0, 16_000.0
_MEMORY_GB, _MEMORY_GB_PER_M_ROWS = 2.9, 0.5
_WITH_TRANSFORMED = 1.4  # what Transform makes of the examples takes a third as much
_M = 1e6


@dataclass(frozen=True)
class Cost:
    """An estimate.

    Attributes:
        seconds: By part of a run.
        example_bytes: A gzipped example.
        disk_bytes: All examples, raw and transformed.
        memory_bytes: The run's peak.
        free_disk_bytes: What the disk of the working folder has.
        machine_memory_bytes: What the machine has; 0 where it is not known.
    """

    seconds: dict[str, float]
    example_bytes: float
    disk_bytes: float
    memory_bytes: float
    free_disk_bytes: int
    machine_memory_bytes: int

    @property
    def total_s(self) -> float:
        """Seconds of the whole run."""
        return sum(self.seconds.values())


def estimate_cost(
    config: RunConfig, train: int, evaluated: int, example_bytes: float
) -> Cost:
    """What a run would cost on this machine.

    Args:
        config: The run's configuration.
        train: Rows to train on.
        evaluated: Rows to evaluate on.
        example_bytes: Of a gzipped example.
    """
    used = train + evaluated
    seconds = {"imports": _IMPORTS_S}
    seconds |= {
        name: start + used / _M * each for name, (start, each) in _PARTS.items()
    }
    seconds |= dict.fromkeys(
        _trainings(config),
        _TRAINING_START_S + config.training.epochs * train / _EXAMPLES_PER_S,
    )
    if config.evaluation.enabled:
        seconds["Evaluator"] = _after("Evaluator", used)
    seconds["ReportGen"] = _after("ReportGen", used)
    if config.evaluation.enabled:
        seconds["trial"] = _TRIAL_S
    return Cost(
        {name: round(of, 1) for name, of in seconds.items()},
        example_bytes,
        used * example_bytes * _WITH_TRANSFORMED,
        (_MEMORY_GB + _MEMORY_GB_PER_M_ROWS * used / _M) * 1e9,
        shutil.disk_usage(os.getcwd()).free,
        _machine_memory(),
    )


def _after(name: str, rows: int) -> float:
    start, each = _AFTER[name]
    return start + rows / _M * each


def _trainings(config: RunConfig) -> list[str]:
    names = ["training"]
    if config.training.baseline and config.model.poso.any:
        names.append("training, plain")
    if config.training.control:
        names.append("training, control")
    return names


def _machine_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
