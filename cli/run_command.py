"""`poso run`: the whole pipeline on this machine."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import (
    DATE,
    PLACE,
    config_option,
    data_option,
    out_option,
    read_config,
    set_option,
)
from cli.out_folder import check_written_apart

if TYPE_CHECKING:
    from pipeline.config import RunConfig


@click.command("run")
@config_option("YAML configuration; see configs/ for examples.", required=True)
@data_option("Folder (or file) of the impression log.")
@out_option(
    "Folder for all that the run makes, a path or a URI.  [default: runs/NAME]",
    type=PLACE,
)
@click.option(
    "--date",
    type=DATE,
    help="Evaluate on this day, train on the split.train_days before it, whatever "
    "split.first_train_day says, and go on from the last day that was run into --out.",
)
@click.option("--again", is_flag=True, help="With --date: even if the day was run.")
@set_option("training.epochs=3")
def command(
    config_file: Path,
    data_dir: str,
    out: str | None,
    date: datetime.datetime | None,
    again: bool,
    overrides: tuple[str, ...],
) -> None:
    """Run the pipeline: features, training, evaluation, push.

    Trains the configured model and its plain baseline, prints GAUC by task and user
    group, and leaves under --out: the pushed model (serving/), the report, the
    rejected rows (rejects/), ML Metadata (metadata.sqlite) and a log (run.log).

    Running again with the same --out continues a run that was stopped and reuses
    every component whose inputs have not changed.

    The log and --out may lie in an object store. The run then works on copies
    on this machine (below XDG_CACHE_HOME), and sends --out back at its end.

    With --date each day is run once, in the order of the days: docs/running.md.

    \b
    Examples:
      poso run --config configs/kuairand.yaml --data path/to/kuairand-pure
      poso run --config my.yaml --data s3://bucket/log --out s3://bucket/run
    """
    from cli.day_run import DayRun
    from cli.object_store import staged_data, staged_out
    from cli.pipeline_run import run_and_print
    from pipeline.runners.run_paths import RunPaths
    from preprocessing.sources.input_files import input_state
    from preprocessing.storage.files import is_remote
    from preprocessing.storage.overlap import Place, log_place, whole

    if again and date is None:
        raise click.UsageError("--again is for a run of a --date")
    config = read_config(config_file, overrides)
    out = out or str(Path("runs") / config.name)
    written = whole("--out", out)
    if not is_remote(out):
        parts = RunPaths(Path(out.removeprefix("file://"))).written
        written = Place("--out", out, tuple(map(str, parts)))
    check_written_apart(written, log_place("--data", data_dir))
    if is_remote(out) and config.training.strategy.on_machines:
        raise click.ClickException(
            "a cluster of several machines needs --out in a folder that all of them "
            "share: that of a store is worked on as a copy on this machine. "
            f"Received: {out}"
        )
    day = None if date is None else date.date()
    if day is not None:
        config = _by_day(config)

    def log_state() -> str:
        return input_state(config.source, config.features, data_dir)

    def run() -> None:
        with staged_data(data_dir) as log:
            # A copy's times are not the log's.
            state = log_state() if is_remote(data_dir) else None
            run_and_print(config, log, paths, state, day)

    with staged_out(out) as folder:
        paths = RunPaths(folder)
        if day is None:
            run()
        else:
            DayRun(config.days, run, log_state)(day, paths.days, again)


def _by_day(config: RunConfig) -> RunConfig:
    try:
        return config.by_day()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
