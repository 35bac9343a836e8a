"""`poso features`: the feature table of a log, outside any pipeline."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click


@click.command("features")
@click.option(
    "--config",
    "config_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML configuration; its sections source and features are read.",
)
@click.option(
    "--data", "data_dir", required=True, help="Folder (or file) of the impression log."
)
@click.option("--out", "out_dir", required=True, help="Folder for the output.")
@click.option(
    "--state",
    "state_dir",
    help="State that the log goes on from: the --out folder of the day before.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one value, e.g. --set features.history_length=50. Repeatable.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), help="Threads.  [default: one a CPU]"
)
@click.option(
    "--runner",
    help="Run on this Beam runner: DirectRunner, FlinkRunner, SparkRunner, ...",
)
@click.option(
    "--beam-arg",
    "beam_args",
    multiple=True,
    metavar="ARG",
    help="Run on Beam with this option, e.g. --beam-arg=--flink_master=host:8081. "
    "Repeatable.",
)
def command(
    config_file: Path,
    data_dir: str,
    out_dir: str,
    state_dir: str | None,
    overrides: tuple[str, ...],
    threads: int | None,
    runner: str | None,
    beam_args: tuple[str, ...],
) -> None:
    """Build the feature table of an impression log, and the state after it.

    Writes --out/features, --out/state and --out/rejects (Parquet), and last
    --out/summary.json: a folder without it is not whole. A run that was stopped can
    be repeated; until it has finished, an earlier output stays. Places may be paths
    or URIs such as gs://bucket/log.

    By default it runs in this process, in threads, without Beam: on one machine that
    is the fastest way. --runner or any --beam-arg makes it a Beam pipeline instead, for
    a cluster (or, by --runner DirectRunner, for this machine); the rows are the same.

    \b
    Example, two days one after the other:
      poso features --config configs/demo.yaml --data log/monday --out monday
      poso features --config configs/demo.yaml --data log/tuesday --out tuesday \\
        --state monday
    """
    from cli.console import library_output_to
    from cli.feature_progress import FeatureProgress, print_summary
    from pipeline.config import ConfigError, load_config
    from preprocessing.storage.files import is_remote, local_path

    if runner is not None:
        beam_args = (f"--runner={runner}", *beam_args)
    if beam_args and threads:
        raise click.UsageError("--threads is not for Beam; its options say how many")
    try:
        config = load_config(config_file, overrides)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if is_remote(out_dir):
        log = Path(tempfile.gettempdir()) / "poso-features.log"
    else:
        log = Path(local_path(out_dir)) / "features.log"
    with library_output_to(log) as console:
        from preprocessing.engine.write_table import write_feature_table
        from preprocessing.state.files import open_state

        if state_dir is not None:
            state = open_state(state_dir, config.features).info
            where = f"going on from {state_dir}, through {state.watermark}"
            console.print(where, soft_wrap=True)
            for note in state.notes(config.features):
                console.print(f"  note: {note}", soft_wrap=True)
        with FeatureProgress(console) as progress:
            summary = write_feature_table(
                config.source,
                config.features,
                data_dir,
                out_dir,
                state_dir,
                beam_args=beam_args or None,
                threads=threads,
                progress=progress.update,
            )
        print_summary(console, summary, out_dir, progress.seconds)
