"""The yardstick: what is a run's model worth beside gradient-boosted trees?

LightGBM is fitted to the same feature table, split at the same day, and ranks the same
impressions; GAUC and AUC by task and slice stand beside those of the run's models.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.status import Status

from cli.console import library_output_to
from cli.options import FOLDER, config_option, read_config, set_option
from cli.out_folder import in_use_in_one_line

if TYPE_CHECKING:
    from pipeline.runners.trained_run import TrainedRun


@click.command("yardstick")
@click.option("--run", "run_dir", type=FOLDER, help="The --out folder of poso run.")
@click.option(
    "--features",
    "features_dir",
    type=FOLDER,
    help="Instead of a run, the --out folder of poso features: trees alone.",
)
@config_option("YAML configuration of that feature table and of its split.")
@set_option("split.train_days=3")
@click.option(
    "--ids/--no-ids",
    default=True,
    show_default=True,
    help="Whether the trees see ids and other categories of more than 255 values.",
)
@click.option("--seed", default=17, show_default=True, help="Of the trees.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="For LightGBM.  [default: one per CPU]",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(
    run_dir: Path | None,
    features_dir: Path | None,
    config_file: Path | None,
    overrides: tuple[str, ...],
    ids: bool,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compare a run's model with gradient-boosted trees on the same data.

    For each task LightGBM is fitted to the run's training examples and ranks its
    evaluation examples: the same rows, split and GAUC as in the run's report. The trees
    see what the model sees: all that the feature engine computed, declared features,
    tags, lengths of the histories and in how many of their entries the candidate's
    video, author or tag occurs. As many trees are grown as the last training day wants,
    then as many are fitted to all training days.

    A model that is not ahead of the trees has not yet learned what its features hold.

    \b
    Examples:
      poso experiment yardstick --run runs/demo
      poso features --config my.yaml --data log --out table
      poso experiment yardstick --features table --config my.yaml
    """
    began = time.monotonic()
    log = Path(tempfile.gettempdir()) / "poso-yardstick.log"
    with (
        os.fdopen(os.dup(2), "w", buffering=1) as terminal,
        library_output_to(log, "the log", log) as console,
        _in_one_line(),
        _judged(run_dir, features_dir, config_file, overrides) as run,
    ):
        from experiments.trees.boosting import BoostingSettings
        from experiments.trees.comparison import compare_with_trees
        from experiments.trees.tables import print_yardstick
        from preprocessing.engine.cores import usable_cores

        said = Console(file=terminal, highlight=False)
        settings = BoostingSettings(seed=seed, threads=threads or usable_cores())
        with said.status("reading the examples") as status:
            found = compare_with_trees(
                run, settings, ids, partial(_say, said), partial(_show, status)
            )
        seconds, peak_mib = time.monotonic() - began, _peak_mib()
        _say(said, f"{seconds:.0f} s, at most {peak_mib:,.0f} MiB of memory")
        if not as_json:
            print_yardstick(console, found, run.config.evaluation.min_scored_users)
    if as_json:
        cost = {"seconds": round(seconds, 1), "peak_memory_mib": round(peak_mib)}
        click.echo(json.dumps({**found.as_dict(), **cost}, indent=1))


@contextmanager
def _judged(
    run_dir: Path | None,
    features_dir: Path | None,
    config_file: Path | None,
    overrides: tuple[str, ...],
) -> Iterator[TrainedRun]:
    """What the options name, kept from being replaced meanwhile.

    Raises:
        click.UsageError: They do not name one thing.
    """
    from experiments.trees.boosting import load_lightgbm
    from preprocessing.storage.folder_lock import share_folder

    if (run_dir is None) == (features_dir is None):
        raise click.UsageError("give either --run or --features")
    if run_dir is not None and (config_file or overrides):
        raise click.UsageError("a run has its own configuration: no --config or --set")
    if features_dir is not None and config_file is None:
        raise click.UsageError("--features needs the --config of the table")
    load_lightgbm()  # before anything that takes time
    with in_use_in_one_line(), share_folder(run_dir or features_dir or ""):
        if run_dir is not None:
            from pipeline.runners.run_paths import RunPaths
            from pipeline.runners.trained_run import read_trained_run

            yield read_trained_run(RunPaths(run_dir))
        elif features_dir is not None and config_file is not None:
            config = read_config(config_file, overrides)
            from experiments.trees.table_examples import examples_of_table
            from pipeline.config import LogConfig
            from pipeline.runners.trained_run import TrainedRun

            with examples_of_table(str(features_dir), config.part(LogConfig)) as dirs:
                yield TrainedRun(config, *dirs, model_dirs={})


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Reports what cannot be judged.

    Raises:
        click.ClickException: Instead of the error.
    """
    try:
        yield
    except (ImportError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _show(status: Status, task: str, rounds: int, loss: float) -> None:
    status.update(f"{task}: {rounds} trees, held-out loss {loss:.4f}")


def _say(console: Console, line: str) -> None:
    console.print(line, style="dim", markup=False, soft_wrap=True)


def _peak_mib() -> float:
    """Most memory that this process has had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    command()
