"""The arms' numbers on the terminal, each with its interval over users."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from experiments.arms.findings import MEASURES, Finding, Measure

_TITLES = {
    Measure("gauc", "all"): "GAUC, all",
    Measure("gauc", "new"): "GAUC, new users",
    Measure("auc", "all"): "AUC, all",
}


def print_findings(console: Console, task: str, findings: Sequence[Finding]) -> None:
    """Prints a table of the mean over the days, and one of each day.

    Args:
        console: Where to.
        task: Whose findings they are.
        findings: Of all days and of each.
    """
    periods = list(dict.fromkeys(finding.day for finding in findings))
    days = [day for day in periods if day is not None]
    # Of a single day the mean is the day.
    for day in periods if len(days) > 1 else days:
        of_day = [finding for finding in findings if finding.day == day]
        period = f"mean of {len(days)} days" if day is None else day.isoformat()
        console.print(_table(f"{task}, {period} [95 % of draws of users]", of_day))
        console.print()


def _table(title: str, findings: Sequence[Finding]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for measure in MEASURES:
        table.add_column(_TITLES[measure], justify="right", no_wrap=True)
    cells = {(finding.what, finding.measure): _cell(finding) for finding in findings}
    for what in dict.fromkeys(finding.what for finding in findings):
        row = [cells.get((what, measure), "-") for measure in MEASURES]
        table.add_row(what, *row)
    return table


def _cell(finding: Finding) -> str:
    found = finding.interval
    if math.isnan(found.value):
        return "-"
    form = "+.2f" if " - " in finding.what else ".4f"
    text = format(found.value, form)
    if math.isnan(found.low):
        return text
    return f"{text} [{found.low:{form}}, {found.high:{form}}]"
