"""Checks a log: reads it once, counts, judges; trains and keeps nothing."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.config import RunConfig
from pipeline.log_check.cost import Cost, estimate_cost
from pipeline.log_check.findings.finding import Finding, Verdict, verdict_of
from pipeline.log_check.findings.judge import judge
from pipeline.log_check.numbers.gathered import Gathered, Numbers
from preprocessing.engine.cores import usable_cores
from preprocessing.engine.in_threads import on_this_disk
from preprocessing.engine.log_input import open_log
from preprocessing.engine.output_folder import shared_inputs
from preprocessing.engine.two_passes import Progress, no_progress


@dataclass(frozen=True)
class LogCheck:
    """What a check found.

    Attributes:
        config: The configuration that it was checked for.
        data_dir: The log.
        numbers: What was counted.
        findings: What speaks against the log, the worst first.
        cost: What a run would cost.
    """

    config: RunConfig
    data_dir: str
    numbers: Numbers
    findings: list[Finding]
    cost: Cost

    @property
    def verdict(self) -> Verdict:
        """Whether a run can use the log."""
        return verdict_of(self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the verdict and the attributes, of the configuration its name."""
        return {
            "verdict": self.verdict,
            "name": self.config.name,
            "data_dir": self.data_dir,
            "findings": [asdict(finding) for finding in self.findings],
            "numbers": asdict(self.numbers),
            "cost": asdict(self.cost),
        }


def check_log(
    config: RunConfig,
    data_dir: str,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> LogCheck:
    """Runs the feature engine over a log and counts what comes of it.

    Needs room in the system's folder for temporary files, as `poso features` does.

    Args:
        config: The run's configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        threads: Parts worked on at a time; by default one per core.
        progress: Told the step's name, how many parts of it are done, and of how many.

    Raises:
        FolderInUseError: Another process writes to the log.
        SourceError: The input cannot be used.
    """
    parallel = threads or usable_cores()
    features = config.features
    gathered = Gathered(config)
    with shared_inputs(data_dir), tempfile.TemporaryDirectory() as spill:
        log = open_log(config.source, features, data_dir)
        engine = on_this_disk(
            features,
            gathered,
            Path(spill),
            parallel,
            progress,
            gathered.check,
            gathered.kept,
        )
        summary = engine.run(log)
    numbers = gathered.result(summary, parallel)
    split = numbers.split
    cost = estimate_cost(config, split.train, split.evaluated, numbers.example_bytes)
    findings = judge(config, numbers, cost)
    return LogCheck(config, data_dir, numbers, findings, cost)
