"""All findings on a log, in the order in which a person should read them."""

from __future__ import annotations

from pipeline.config import RunConfig
from pipeline.log_check.cost import Cost
from pipeline.log_check.findings.clocks import clocks
from pipeline.log_check.findings.columns import columns
from pipeline.log_check.findings.days import days
from pipeline.log_check.findings.finding import LEVELS, Finding
from pipeline.log_check.findings.labels import labels
from pipeline.log_check.findings.leaks import leaks
from pipeline.log_check.findings.means import means
from pipeline.log_check.findings.people import people
from pipeline.log_check.findings.rejected import rejected
from pipeline.log_check.findings.split import split
from pipeline.log_check.findings.units import units
from pipeline.log_check.numbers.gathered import Numbers

_JUDGES = (rejected, leaks, labels, units, clocks, split, people, days, columns)


def judge(config: RunConfig, numbers: Numbers, cost: Cost) -> list[Finding]:
    """What speaks against a log: the worst level first, then by weight.

    Args:
        config: The run's configuration.
        numbers: What was counted.
        cost: What a run would cost.
    """
    found = [finding for judged in _JUDGES for finding in judged(config, numbers)]
    found += means(cost)
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))
