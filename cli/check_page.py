"""The page of `poso check` on a terminal: the verdict, findings, then the numbers."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.check_tables import tables
from pipeline.log_check.check import LogCheck
from pipeline.log_check.findings.finding import Finding
from pipeline.log_check.summary_lines import evidence, verdict_line

_WIDTH = 100  # of a page that goes to a file or a pipe, and the most on a terminal
_STYLES = {"stop": "bold red", "look": "bold yellow", "note": "bold cyan"}
_MARKS = {"stop": "STOP", "look": "LOOK", "note": "note"}
_EXAMPLE_WIDTH = 130


def print_page(found: LogCheck, console: Console | None = None) -> None:
    """Prints what a check found.

    Args:
        found: What it found.
        console: Where to; by default standard output.
    """
    console = console or _console()
    console.print(
        Text(f"{found.config.name}: {found.data_dir}", style="dim"), soft_wrap=True
    )
    console.print(Text(verdict_line(found), style="bold"))
    for line in evidence(found):
        console.print(Text(f"  {line}"))
    for finding in found.findings:
        _print_finding(console, finding)
    _print_rejects(console, found)
    for title, table, note in tables(found):
        console.print()
        console.print(Text(title, style="bold"))
        console.print(table)
        if note:
            console.print(Text(note, style="dim"))


def _console() -> Console:
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        return Console(highlight=False, width=_WIDTH)
    return Console(highlight=False, width=min(console.width, _WIDTH))


def _print_finding(console: Console, finding: Finding) -> None:
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column()
    mark = Text(_MARKS[finding.level], style=_STYLES[finding.level])
    lines.add_row(mark, Text(finding.seen, style="bold"))
    lines.add_row("", Text(finding.why))
    lines.add_row("", Text(f"-> {finding.do}"))
    console.print()
    console.print(lines)


def _print_rejects(console: Console, found: LogCheck) -> None:
    """The reasons, and for each some rows as they are."""
    rejects = found.numbers.rejects
    if not rejects:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    for reason in rejects:
        table.add_row(f"{reason.rows:,}", Text(reason.reason))
        for example in reason.examples:
            shown = f"{example.source}: {short_row(example.row, reason.reason)}"
            table.add_row("", Text(shown, style="dim"))
    console.print()
    console.print(Text("Rejects, and the first rows of each reason", style="bold"))
    console.print(table)


def short_row(row: str, reason: str) -> str:
    """A rejected row in a line or two, first the column that the reason begins with."""
    values = json.loads(row)
    first = reason.split(" ", 1)[0].rstrip(":")
    names = sorted(values, key=lambda name: name != first)
    text = ", ".join(f"{name} {_cell(values[name])}" for name in names)
    return text if len(text) <= _EXAMPLE_WIDTH else f"{text[:_EXAMPLE_WIDTH]} ..."


def _cell(value: object) -> str:
    return "null" if value is None else str(value)
