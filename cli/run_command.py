"""`poso run`: the whole pipeline on this machine."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
@data_option("Folder (or file) of the impression log.", required=False)
@click.option(
    "--features",
    "features_dir",
    type=PLACE,
    help="A ready feature table in place of a log: the --out of poso features.",
)
@click.option(
    "--state",
    "state_dir",
    type=PLACE,
    help="State that the log starts from: of an earlier run or of poso features.",
)
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
@click.option("--until", default="", help="The last component to run.")
@click.option(
    "--from",
    "again_from",
    default="",
    help="Run this component and what follows from it again, even if nothing changed.",
)
@set_option("training.epochs=3")
def command(
    config_file: Path,
    data_dir: str | None,
    features_dir: str | None,
    state_dir: str | None,
    out: str | None,
    date: datetime.datetime | None,
    again: bool,
    until: str,
    again_from: str,
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
      poso run --config my.yaml --data log/tuesday --state features/monday
      poso run --config my.yaml --features features/monday --until Transform
    """
    from cli.day_run import DayRun
    from cli.object_store import staged_data, staged_out
    from cli.pipeline_run import run_and_print
    from pipeline.runners.run_paths import RunPaths
    from preprocessing.sources.input_files import input_state
    from preprocessing.storage.files import is_remote
    from preprocessing.storage.overlap import Place, log_place, whole

    if (data_dir is None) == (features_dir is None):
        raise click.UsageError("give one of --data and --features")
    if features_dir is not None and state_dir is not None:
        raise click.UsageError("--state is for --data: a feature table has its state")
    if date is not None and (features_dir or state_dir):
        raise click.UsageError(
            "--date reads --data alone: its state is that of the day before"
        )
    if again and date is None:
        raise click.UsageError("--again is for a run of a --date")
    option, read = ("--data", data_dir) if data_dir else ("--features", features_dir)
    assert read is not None
    config = read_config(config_file, overrides)
    out = out or str(Path("runs") / config.name)
    written = whole("--out", out)
    if not is_remote(out):
        parts = RunPaths(Path(out.removeprefix("file://"))).written
        written = Place("--out", out, tuple(map(str, parts)))
    check_written_apart(written, log_place(option, read))
    if state_dir is not None:
        check_written_apart(written, whole("--state", state_dir))
    if is_remote(out) and config.training.strategy.on_machines:
        raise click.ClickException(
            "a cluster of several machines needs --out in a folder that all of them "
            "share: that of a store is worked on as a copy on this machine. "
            f"Received: {out}"
        )
    day = None if date is None else date.date()
    if day is not None:
        config = _by_day(config)
    options: dict[str, Any] = {"of_features": True} if features_dir else {}
    if state_dir is not None:
        options["state_dir"] = state_dir

    def log_state() -> str:
        return input_state(config.source, config.features, read)

    def run() -> bool:
        with staged_data(read, option) as log:
            # A copy's times are not the log's.
            state = log_state() if is_remote(read) and not features_dir else None
            result = run_and_print(
                config, log, paths, state, day, options, until, again_from
            )
        return result is not None

    with staged_out(out) as folder:
        paths = RunPaths(folder)
        if day is None:
            run()
        else:
            DayRun(config.days, config.features.calendar, run, log_state)(
                day, paths.days, again or bool(again_from)
            )


def _by_day(config: RunConfig) -> RunConfig:
    try:
        return config.by_day()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
