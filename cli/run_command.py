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
from cli.out_folder import check_written_apart


@click.command("run")
@config_option("YAML configuration; see configs/ for examples.", required=True)
@data_option("Folder (or file) of the impression log.")
@out_option("Folder for all that the run makes.  [default: runs/NAME]")
@set_option("training.epochs=3")
def command(
    config_file: Path, data_dir: str, out: Path | None, overrides: tuple[str, ...]
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
    from preprocessing.storage.files import is_remote, local_path
    from preprocessing.storage.overlap import Place, log_place

    if is_remote(data_dir):
        raise click.ClickException(
            "poso run reads a log on this machine; poso features and poso compile take "
            f"URIs. Received: --data {data_dir}"
        )
    config = read_config(config_file, overrides)
    log = Path(local_path(data_dir) if "://" in data_dir else data_dir)
    paths = RunPaths(out or Path("runs") / config.name)
    written = Place("--out", str(paths.out), tuple(map(str, paths.written)))
    check_written_apart(written, log_place("--data", str(log)))
    run_and_print(config, log, paths)
