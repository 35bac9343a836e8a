"""`poso users`: a store of what is known of users by id."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import click

from cli.options import PLACE
from cli.rejects_file import rejects_output
from cli.user_store import (
    model_config_option,
    open_store,
    read_features,
    read_model_config,
    report_errors,
    state_option,
    state_place,
    store_option,
)


@click.group("users")
def command() -> None:
    """Keep what is known of users, for ranking by id.

    A store holds the state that the feature engine wrote and the impressions that were
    observed since, in an SQLite file or in Redis. `poso rank --user` reads it.
    """


@command.command("load")
@click.argument("state_dir", type=PLACE)
@store_option(required=True)
@model_config_option
def load(state_dir: str, place: str, config_file: Path | None) -> None:
    """Load STATE_DIR, the state that a run left, into a store.

    The store may be in use meanwhile: users are replaced one by one, and impressions
    observed after the state's end stay. A load that was stopped can simply be repeated.

    \b
    Example:
      poso users load monday --store redis://127.0.0.1:6379/0 --config my.yaml
    """
    from rich.console import Console
    from rich.progress import Progress

    config = read_features(config_file)
    with (
        report_errors(),
        open_store(None, place, config, state_place("STATE_DIR", state_dir)) as store,
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("users", total=None)
        users = store.load(
            state_dir,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
        watermark_ms = store.watermark_ms
    click.echo(f"loaded {users:,} users; the state ends at {watermark_ms}")


@command.command("observe")
@click.argument("file", type=PLACE)
@store_option(required=True)
@state_option
@model_config_option
@click.option(
    "--rejects",
    "rejects_file",
    type=PLACE,
    help="Write impressions that do not count here, as JSON lines with their reasons; "
    "an earlier such file is replaced.",
)
def observe(
    file: str,
    place: str,
    state_dir: str | None,
    config_file: Path | None,
    rejects_file: str | None,
) -> None:
    """Take the impressions of FILE into a store, by the feature engine's rules.

    FILE is Parquet, CSV (.csv), Avro (.avro), ORC (.orc) or JSON lines (.jsonl, or -
    for standard input), with the columns of an impression log. If no state is loaded,
    --state names the one that the impressions follow. Giving a file twice does no harm.

    \b
    Example:
      poso users observe today.jsonl --store users.sqlite --state monday \\
        --config my.yaml
    """
    from preprocessing.engine.output_folder import shared_inputs
    from preprocessing.storage.overlap import log_place
    from serving.online.observe_file import observe_file, observe_lines

    model = read_model_config(config_file)
    config = model.features
    rows_in, counted, reasons = 0, 0, Counter[str]()
    read = [] if file == "-" else [log_place("FILE", file)]
    with (
        report_errors(),
        shared_inputs(state_dir, *(place.given for place in read)),
        rejects_output(rejects_file, place, state_dir, *read) as rejects,
        open_store(state_dir, place, config, *read) as store,
    ):
        if file == "-":
            parts = observe_lines(store, sys.stdin.buffer, "standard input")
        else:
            parts = observe_file(store, file, config, model.source)
        for part in parts:
            rows_in += part.rows_in
            counted += part.counted
            for reject in part.rejects.to_pylist():
                reasons[reject["reason"]] += 1
                if rejects is not None:
                    rejects.write(json.dumps(reject, ensure_ascii=False) + "\n")
    click.echo(
        f"{rows_in:,} impressions = {counted:,} counted + {rows_in - counted:,} rejects"
    )
    for reason, count in reasons.most_common():
        click.echo(f"  rejected {count:,}: {reason}")
