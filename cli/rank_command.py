"""`poso rank`: asks a running server to rank candidates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

import click


@click.command("rank")
@click.argument("request_file", type=click.File(encoding="utf-8"))
@click.option("--grpc", metavar="HOST:PORT", help="Server's gRPC address.")
@click.option("--rest", metavar="URL", help="Server's REST address, http://HOST:PORT.")
@click.option("--name", default="ranker", show_default=True, help="The model's name.")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    request_file: IO[str],
    grpc: str | None,
    rest: str | None,
    name: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Rank the candidates of REQUEST_FILE (- reads standard input), best first.

    The file is JSON with the user's features once and one entry a candidate:
    {"user": {"user_id": "u1", "avc": 3, ...}, "candidates": {"video_id": ["v1",
    "v2"], ...}}. A run of the pipeline leaves examples in its requests/ folder.

    \b
    Example:
      poso rank runs/demo/requests/new.json --grpc 127.0.0.1:8500
    """
    from serving.client import RankingClient, ServingError

    if (grpc is None) == (rest is None):
        raise click.UsageError("give one of --grpc and --rest")
    try:
        request = json.load(request_file)
        user, candidates = request["user"], request["candidates"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{Path(request_file.name).name} is not a rank request, an object with "
            f"'user' and 'candidates': {error}"
        ) from error
    try:
        with RankingClient(
            grpc=grpc, rest=rest, name=name, timeout_s=timeout
        ) as client:
            result = client.rank(user, candidates)
    except (ServingError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(result.as_dict()))
        return
    from rich.console import Console

    from cli.ranking_table import ranking_table

    Console().print(ranking_table(candidates["video_id"], result))
