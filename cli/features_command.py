"""`poso features`: the feature table of a log, outside any pipeline."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from cli.object_store import check_store_writable
from cli.options import (
    PLACE,
    beam_option,
    config_option,
    data_option,
    out_option,
    read_config,
    set_option,
)
from cli.out_folder import (
    check_features_output,
    check_features_places,
    in_use_in_one_line,
)


@click.command("features")
@config_option(
    "YAML configuration; its sections source and features are read.", required=True
)
@data_option("Folder (or file) of the impression log.")
@out_option("Folder for the output, a path or a URI.", required=True, type=PLACE)
@click.option(
    "--state",
    "state_dir",
    type=PLACE,
    help="State to start from: the --out folder of the day before.",
)
@set_option("features.history_length=50")
@click.option(
    "--threads", type=click.IntRange(min=1), help="Threads.  [default: one per CPU]"
)
@click.option(
    "--runner",
    help="Run on this Beam runner: DirectRunner, FlinkRunner, SparkRunner, ...",
)
@beam_option("Run on Beam with this option", "--flink_master=host:8081")
def command(
    config_file: Path,
    data_dir: str,
    out: str,
    state_dir: str | None,
    overrides: tuple[str, ...],
    threads: int | None,
    runner: str | None,
    beam_args: tuple[str, ...],
) -> None:
    """Build the feature table of an impression log, and the state after it.

    Writes --out/features, --out/state and --out/rejects (Parquet), and last
    --out/summary.json: a folder without it is not whole. A run that was stopped can
    be repeated; until it has finished, an earlier output stays. Nothing but an earlier
    output is replaced. Places may be paths or URIs such as gs://bucket/log.

    By default it runs in threads of this process, without Beam: on one machine that
    is the fastest way. --runner or any --beam-arg makes it a Beam pipeline instead, for
    a cluster (or, by --runner DirectRunner, for this machine); the rows are the same.

    \b
    Example of two days, one after the other:
      poso features --config configs/demo.yaml --data log/monday --out monday
      poso features --config configs/demo.yaml --data log/tuesday --out tuesday \\
        --state monday
    """
    from cli.console import library_output_to
    from cli.feature_progress import FeatureProgress, print_summary
    from preprocessing.storage.files import is_remote, local_path

    if runner is not None:
        beam_args = (f"--runner={runner}", *beam_args)
    if beam_args and threads:
        raise click.UsageError("--threads is not for Beam; its options say how many")
    config = read_config(config_file, overrides)
    elsewhere = [place for place in (out, state_dir or "") if is_remote(place)]
    if not elsewhere:
        check_features_places(out, data_dir, state_dir)
    if is_remote(out):
        log = Path(tempfile.gettempdir()) / "poso-features.log"
    else:
        check_features_output(out)
        log = Path(local_path(out)) / "features.log"
    with library_output_to(log, "--out", out) as console, in_use_in_one_line():
        from preprocessing.engine.write_table import write_feature_table
        from preprocessing.sources.computed_columns import computed_column_notes
        from preprocessing.sources.input_files import input_files
        from preprocessing.state.files import open_state

        if elsewhere:  # what Beam has to say of a store goes to the log
            check_features_places(out, data_dir, state_dir)
            check_features_output(out)
        if is_remote(out):
            check_store_writable("--out", out)
        log_settings = (config.source, config.features, data_dir)
        unread = input_files(*log_settings).note
        for note in (unread, *computed_column_notes(*log_settings)):
            if note:
                console.print(f"note: {note}", markup=False, soft_wrap=True)
        if state_dir is not None:
            state = open_state(state_dir, config.features, checked=False)
            where = f"starting from {state_dir}, through {state.info.watermark}"
            console.print(where, soft_wrap=True, markup=False)
            for note in (*state.info.notes(config.features), *state.warnings):
                console.print(f"  note: {note}", soft_wrap=True, markup=False)
        with FeatureProgress(console) as progress:
            summary = write_feature_table(
                config.source,
                config.features,
                data_dir,
                out,
                state_dir,
                beam_args=beam_args or None,
                threads=threads,
                progress=progress.update,
            )
        print_summary(console, summary, out, progress.seconds)
