"""`poso run`: the whole pipeline on this machine."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("run")
@click.option(
    "--config",
    "config_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML configuration; see configs/ for examples.",
)
@click.option(
    "--data",
    "data_dir",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with the impression log.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for all that the run makes.  [default: runs/NAME]",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one value, e.g. --set training.epochs=3. Repeatable.",
)
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
    from pipeline.config import ConfigError, load_config
    from pipeline.runners.run_paths import RunPaths

    try:
        config = load_config(config_file, overrides)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    run_and_print(config, data_dir, RunPaths(out or Path("runs") / config.name))
