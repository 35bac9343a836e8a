"""`poso run`: the whole pipeline on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import (
    config_option,
    data_option,
    out_option,
    read_config,
    set_option,
)


@click.command("run")
@config_option("YAML configuration; see configs/ for examples.", required=True)
@data_option("Folder with the impression log.", type=click.Path(path_type=Path))
@out_option("Folder for all that the run makes.  [default: runs/NAME]")
@set_option("training.epochs=3")
def command(
    config_file: Path, data_dir: Path, out: Path | None, overrides: tuple[str, ...]
) -> None:
    """Run the pipeline: features, training, evaluation, push.

    Trains the configured model and its plain baseline, prints GAUC by task and user
    group, and leaves under --out: the pushed model (serving/), the report, the
    rejected rows (rejects/), ML Metadata (metadata.sqlite) and a log (run.log).

    Running again with the same --out continues a run that was stopped and reuses
    every component whose inputs have not changed.

    \b
    Example:
      poso run --config configs/kuairand.yaml --data path/to/kuairand-pure
    """
    from cli.pipeline_run import run_and_print
    from pipeline.runners.run_paths import RunPaths

    config = read_config(config_file, overrides)
    run_and_print(config, data_dir, RunPaths(out or Path("runs") / config.name))
