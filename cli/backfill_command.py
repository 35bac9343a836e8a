"""`poso backfill`: the runs of some days in a row."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import click

from cli.child_runs import ChildRuns
from cli.options import (
    DATE,
    PLACE,
    config_option,
    data_option,
    out_option,
    read_config,
    set_option,
)


class Runner(Protocol):
    """Runs `poso run` in a process of its own: no day inherits another's memory."""

    received: int | None  # the signal that asked for an end

    def __call__(self, options: Sequence[str]) -> int:
        """Runs with these options; the exit status."""
        ...


@click.command("backfill")
@config_option("YAML configuration; see configs/ for examples.", required=True)
@data_option("Folder (or file) of the impression log, all days in it.")
@click.option("--from", "first", type=DATE, required=True, help="First day.")
@click.option("--to", "last", type=DATE, required=True, help="Last day.")
@out_option("Folder of the runs.  [default: runs/NAME]", type=PLACE)
@set_option("training.epochs=3")
def command(
    config_file: Path,
    data_dir: str,
    first: datetime.datetime,
    last: datetime.datetime,
    out: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Run the pipeline for each day from --from to --to, as `poso run --date` does.

    Each day starts from the state of the one before it. A day that fails ends the
    command; the same command goes on with that day, and does not repeat those before.
    SIGTERM and Ctrl-C reach the run of the day, which saves; the command then ends.

    \b
    Example:
      poso backfill --config configs/kuairand.yaml --data path/to/kuairand-pure \\
        --from 2022-04-30 --to 2022-05-02
    """
    if first > last:
        raise click.BadParameter(
            f"it must not be after --to. Received: {first.date()}, {last.date()}",
            param_hint="--from",
        )
    out = out or str(Path("runs") / read_config(config_file, overrides).name)
    options = ["--config", str(config_file), "--data", data_dir, "--out", out]
    for item in overrides:
        options += ["--set", item]
    with ChildRuns() as run:
        run_days(list(_days(first.date(), last.date())), options, run)


def run_days(
    days: Sequence[datetime.date], options: Sequence[str], run: Runner
) -> None:
    """Runs days one after the other.

    Args:
        days: In order.
        options: Of `poso run`, but for `--date`.
        run: Runs a day.

    Raises:
        click.ClickException: A day failed.
        click.exceptions.Exit: This process was asked to end, with 128 and the number
            of the signal, as a shell has it; or another process has the folder.
    """
    for number, day in enumerate(days, 1):
        click.echo(f"== {day} ({number} of {len(days)})")
        started = time.monotonic()
        status = run([*options, "--date", day.isoformat()])
        if run.received is not None:
            click.echo("stopped: the same command goes on", err=True)
            raise click.exceptions.Exit(128 + run.received)
        if status == os.EX_TEMPFAIL:  # another process has the folder; it was said
            raise click.exceptions.Exit(status)
        if status:
            raise click.ClickException(
                f"{day} failed (exit status {status}): the same command goes on with it"
            )
        click.echo(f"== {day}: {time.monotonic() - started:.0f} s")


def _days(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    for number in range((last - first).days + 1):
        yield first + datetime.timedelta(days=number)
