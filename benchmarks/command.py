"""The command line that all scripts share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from benchmarks.environment import environment
from benchmarks.report import Report, Row, print_report

# A measurement gets the options and returns its title, its rows and its notes.
Measurement = Callable[["Options"], tuple[str, list[Row], list[str]]]

WIDTH = 124


@dataclass(frozen=True)
class Options:
    """What every script can be told.

    Attributes:
        repeats: rounds of a measurement.
        threads: threads of TensorFlow and PyTorch.
        jit: whether contestants are compiled by XLA.
    """

    repeats: int
    threads: int
    jit: bool


def benchmark_command(measurement: Measurement) -> click.Command:
    """Makes a script's command from its measurement, whose docstring is the help."""

    @click.command(help=measurement.__doc__)
    @click.option(
        "--repeats", default=30, show_default=True, help="Rounds of a measurement."
    )
    @click.option(
        "--threads", default=1, show_default=True, help="Threads of a contestant."
    )
    @click.option("--jit", is_flag=True, help="Compile TensorFlow's part by XLA.")
    @click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also write the report to this file.",
    )
    def command(repeats: int, threads: int, jit: bool, json_file: Path | None) -> None:
        title, rows, notes = measurement(Options(repeats, threads, jit))
        report = Report(title, rows, notes, environment(threads, jit))
        print_report(report, Console(width=WIDTH))
        if json_file:
            report.write(json_file)

    return command
