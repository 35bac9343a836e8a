"""The page of a check: one file, with its plots in it."""

from __future__ import annotations

from pathlib import Path

import jinja2

from pipeline.log_check.check import LogCheck
from pipeline.log_check.findings.days import calendar_name
from pipeline.log_check.summary_lines import evidence, verdict_line
from pipeline.log_check.tables.all_tables import number_tables


def write_page(found: LogCheck, path: Path) -> None:
    """Writes what a check found as HTML.

    Args:
        found: What it found.
        path: The file; replaced if it is there.
    """
    path.write_text(page(found), encoding="utf-8")


def page(found: LogCheck) -> str:
    """What a check found, as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.log_check"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("check.html").render(
        found=found,
        verdict=verdict_line(found),
        evidence=evidence(found),
        tables=[(table, _plot(found, table.title)) for table in number_tables(found)],
    )


def _plot(found: LogCheck, title: str) -> str:
    """The plot that belongs above a table; empty for most."""
    from pipeline.log_check import plots  # matplotlib takes its time

    numbers = found.numbers
    if title == "Days":
        return plots.day_plots(numbers.days, calendar_name(found.config), numbers.hours)
    if title == "Label rates by user group":
        return plots.group_plot(numbers)
    return plots.length_plots(numbers) if title == "Lengths" else ""
