"""`poso demo`: everything once, on simulated data."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.disk_errors import opening
from cli.options import config_option, out_option, read_config

if TYPE_CHECKING:
    from pipeline.runners.run_paths import RunPaths


@click.command("demo")
@out_option(
    "Folder for all that the demo makes.", default=Path("runs/demo"), show_default=True
)
@config_option(
    "YAML configuration.", default=Path("configs/demo.yaml"), show_default=True
)
@click.option(
    "--users",
    type=click.IntRange(min=1),
    default=4000,
    show_default=True,
    help="Simulated users.",
)
def command(out: Path, config_file: Path, users: int) -> None:
    """Simulate a feed, run the pipeline, serve the model, rank for two users.

    Takes some minutes on two cores. Needs no data and no network.
    """
    from cli.console import display_path
    from cli.pipeline_run import held, run_and_print
    from pipeline.runners.run_paths import RunPaths
    from simulator import (
        LogFolderError,
        SimulatorConfig,
        check_log_folder,
        simulate,
        write_log,
    )

    started = time.monotonic()
    config = read_config(config_file)
    log_dir = out / "log"
    paths = RunPaths(out)
    try:
        with opening("--out", out):
            check_log_folder(log_dir)
    except LogFolderError as error:
        raise click.ClickException(str(error)) from error
    with held(paths):
        if any(log_dir.glob("*.parquet")):
            click.echo(f"using the log of an earlier demo: {log_dir}")
        else:
            table = simulate(SimulatorConfig(users=users, corrupt_share=0.001))
            # A demo that is stopped here must not leave half a log behind.
            unfinished = out / "log.unfinished"
            write_log(table, unfinished)
            unfinished.rename(log_dir)
            click.echo(f"simulated {table.num_rows:,} impressions: {log_dir}")
    result = run_and_print(config, log_dir, paths)
    _serve_and_rank(config.serving.model_name, paths)
    click.echo(f"\nreport: {display_path(result.report)}")
    click.echo(f"done in {time.monotonic() - started:.0f} s; next:")
    click.echo(f"  poso serve --model {paths.serving}")
    click.echo(f"  poso rank {paths.requests / 'new.json'} --grpc 127.0.0.1:8500")


def _serve_and_rank(model_name: str, paths: RunPaths) -> None:
    """Ranks for each sampled user over both protocols and compares the answers."""
    from cli.console import library_output_to
    from cli.ranking_table import ranking_table
    from serving.client.ranking_client import RankingClient
    from serving.server.embedded_server import EmbeddedServer
    from serving.server.settings.server_options import ServerOptions

    with library_output_to(paths.log) as console:
        options = ServerOptions(name=model_name, grpc_port=0, rest_port=0)
        with EmbeddedServer(paths.serving, options) as server:
            grpc = f"127.0.0.1:{server.grpc_port}"
            rest = f"http://127.0.0.1:{server.rest_port}"
            console.print(f"\nserving {paths.serving}: gRPC {grpc}, REST {rest}")
            with (
                RankingClient(grpc=grpc, name=model_name) as over_grpc,
                RankingClient(rest=rest, name=model_name) as over_rest,
            ):
                for file in sorted(paths.requests.glob("*.json")):
                    request = json.loads(file.read_text(encoding="utf-8"))
                    user, candidates = request["user"], request["candidates"]
                    result = over_grpc.rank(user, candidates)
                    other = over_rest.rank(user, candidates)
                    gap = max(
                        abs(a - b)
                        for a, b in zip(result.fused, other.fused, strict=True)
                    )
                    console.print(
                        f"\n{file.stem} user {user['user_id']}, {user['avc']} views so "
                        f"far; gRPC and REST differ by at most {gap:.0e}"
                    )
                    console.print(ranking_table(candidates["video_id"], result))
