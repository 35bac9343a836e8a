"""`poso status`: what the runs of a folder did, and what serves now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import out_option

if TYPE_CHECKING:
    from rich.table import Table

    from pipeline.runners.run_history import RunRecord

_PLAIN_WIDTH = 160  # of a table that goes to a file or a pipe


@click.command("status")
@out_option("Folder of the runs (the --out of poso run).", required=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="How many runs, the newest last.",
)
def command(out: Path, as_json: bool, last: int) -> None:
    """Show the runs of a folder: days, durations, rows, GAUC, what serves.

    A row per run: the last day of its examples, when it began (UTC), how long it took,
    rows of the log and rejects, GAUC of all and of new users for each task, and whether
    the model was pushed, or why not: gauc (not blessed), trial (failed in the server),
    unjudged, or the component at which the run failed or stopped.

    \b
    Examples:
      poso status --out runs/daily
      poso status --out runs/daily --last 1 --json
    """
    from rich.console import Console

    from pipeline.runners.metadata_file import RunFolderError
    from pipeline.runners.run_history import RunHistory
    from pipeline.runners.run_paths import RunPaths
    from preprocessing.storage.folder_lock import holder_of

    paths = RunPaths(out)
    try:
        history = RunHistory(paths)
        runs = history.runs()
    except (FileNotFoundError, RunFolderError) as error:
        raise click.ClickException(str(error)) from error
    if not runs:
        raise click.ClickException(f"{out} holds no run yet")
    version = history.serves()
    pushed_by = next((run for run in runs if run.version == version), None)
    serves = None
    if version is not None:
        serves = {
            "version": version,
            "run": pushed_by.run if pushed_by else None,
            "day": pushed_by.day if pushed_by else None,
        }
    holder = holder_of(out)
    if holder and runs[-1].state == "stopped":
        runs[-1] = replace(runs[-1], state="running", not_pushed="running")
    if as_json:
        found = {
            "out": str(out),
            "held_by": holder,
            "serves": serves,
            "runs": [run.as_dict() for run in runs[-last:]],
        }
        click.echo(json.dumps(found, indent=1))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    console.print(_table(runs[-last:]))
    console.print("\nof tasks: GAUC of all / of new users", style="dim")
    console.print(_serves(serves), soft_wrap=True)
    if holder:
        console.print(f"in use by {holder}", markup=False, soft_wrap=True)


def _table(runs: Sequence[RunRecord]) -> Table:
    from rich.table import Table

    tasks = list(dict.fromkeys(task for run in runs for task in run.gauc))
    table = Table(box=None, pad_edge=False)
    for name in ("day", "began", "took", "rows", "rejects"):
        right = name not in ("day", "began")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for task in tasks:
        table.add_column(task, justify="right", no_wrap=True)
    table.add_column("pushed", overflow="fold")
    for run in runs:
        table.add_row(
            run.day or "-",
            _time(run.started_ms),
            _duration(run.seconds),
            _number(run.rows_in),
            _number(run.rejects),
            *(_gauc(run.gauc.get(task, {})) for task in tasks),
            _pushed(run),
        )
    return table


def _pushed(run: RunRecord) -> str:
    if run.version:
        return run.version
    why = run.not_pushed or "no"
    return f"{why}: {run.component}" if run.component else f"no: {why}"


def _serves(serves: dict[str, Any] | None) -> str:
    if serves is None:
        return "nothing serves yet"
    of = ", ".join(f"{key} {serves[key]}" for key in ("day", "run") if serves[key])
    return f"serves: version {serves['version']}{f' ({of})' if of else ''}"


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _gauc(slices: Any) -> str:
    return " / ".join(
        "-" if (value := slices.get(name)) is None else f"{value:.4f}"
        for name in ("all", "new")
    )
