"""`poso rank`: asks a running server to rank candidates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from cli.user_store import (
    model_config_option,
    open_store,
    read_features,
    report_errors,
    state_option,
    store_option,
)

if TYPE_CHECKING:
    from preprocessing.contract.config import FeatureConfig
    from serving.client.ranking_client import RankingClient, RankResult


@click.command("rank")
@click.argument("request_file", type=click.File(encoding="utf-8-sig"), required=False)
@click.option("--grpc", metavar="HOST:PORT", help="Server's gRPC address.")
@click.option("--rest", metavar="URL", help="Server's REST address, http://HOST:PORT.")
@click.option("--name", default="ranker", show_default=True, help="The model's name.")
@click.option("--version", type=int, help="Version of the model.  [default: newest]")
@click.option("--label", help="Label of a version instead, such as stable.")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to wait.")
@click.option("--tls-ca", help="PEM file of authorities: the server is asked by TLS.")
@click.option("--tls-cert", help="PEM file of the client's certificate (mutual TLS).")
@click.option("--tls-key", help="PEM file of its private key.")
@click.option("--user", "user_id", help="Rank for this user, instead of REQUEST_FILE.")
@click.option("--candidates", metavar="ID,ID,...", help="The videos to rank.")
@model_config_option
@state_option
@store_option(required=False)
@click.option(
    "--catalog",
    help="Parquet with the videos' authors, tags, upload times and declared features: "
    "a catalogue or an impression log, a file or a folder.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME=VALUE",
    help="A declared feature of the user or the context; a list as JSON. Repeatable.",
)
@click.option(
    "--time-ms", type=int, help="Rank for this moment, UTC ms.  [default: now]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    request_file: IO[str] | None,
    grpc: str | None,
    rest: str | None,
    name: str,
    version: int | None,
    label: str | None,
    timeout: float,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    user_id: str | None,
    as_json: bool,
    **by_id: Any,
) -> None:
    """Rank candidates for a user, best first.

    Either by REQUEST_FILE (- reads standard input), which is JSON with the user's
    features and one value per candidate: {"user": {"user_id": "u1", "avc": 3, ...},
    "candidates": {"video_id": ["v1", "v2"], ...}}. A run of the pipeline leaves
    examples in its requests/ folder.

    Or by ids: --user and --candidates. What is known of the user comes from --state,
    from a --store that `poso users` filled, or from both; what is known of the videos
    comes from --catalog.

    \b
    Examples:
      poso rank runs/demo/requests/new.json --grpc 127.0.0.1:8500
      poso rank --grpc 127.0.0.1:8500 --user u00024 --candidates v00367,v02582 \\
        --config configs/demo.yaml --catalog runs/demo/log \\
        --state runs/demo/pipeline/ImpressionExampleGen/examples/2/state
    """
    from serving.client.ranking_client import RankingClient
    from serving.client.tls import TlsFiles

    if (grpc is None) == (rest is None):
        raise click.UsageError("give one of --grpc and --rest")
    if (request_file is None) == (user_id is None):
        raise click.UsageError("give one of REQUEST_FILE and --user")
    pem = tls_ca, tls_cert, tls_key
    with report_errors():
        tls = TlsFiles(*pem) if any(pem) else None
        with RankingClient(grpc, rest, name, timeout, version, label, tls) as client:
            if request_file is not None:
                video_ids, result = _rank_request(client, request_file)
            else:
                video_ids, result = _rank_by_id(client, str(user_id), **by_id)
    if as_json:
        click.echo(json.dumps({"video_id": list(video_ids), **result.as_dict()}))
        return
    from rich.console import Console

    from cli.ranking_table import ranking_table

    Console().print(ranking_table(video_ids, result))


# What JSON calls the types of its values.
_KINDS = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _rank_request(
    client: RankingClient, request_file: IO[str]
) -> tuple[Sequence[str], RankResult]:
    name = Path(request_file.name).name
    try:
        request = json.load(request_file)
    except RecursionError as error:
        raise click.ClickException(f"{name} is nested too deeply") from error
    except ValueError as error:
        raise click.ClickException(f"{name} is no JSON: {error}") from error
    fields = request if isinstance(request, dict) else {}
    user, candidates = fields.get("user"), fields.get("candidates")
    if not isinstance(user, dict) or not isinstance(candidates, dict):
        raise click.ClickException(
            f"{name} is not a rank request, an object with the objects 'user' and "
            f"'candidates'. Received: {_KINDS[type(request)]}"
            + "".join(f", {key!r} {_KINDS[type(fields[key])]}" for key in fields)[:200]
        )
    if "video_id" not in candidates:
        raise click.ClickException(
            f"{name} is not a rank request: its candidates have no 'video_id'. "
            f"Received: {sorted(candidates)}"
        )
    video_ids = candidates["video_id"]
    if not isinstance(video_ids, list):
        raise click.ClickException(
            f"{name} is not a rank request: its candidates' 'video_id' is no array. "
            f"Received: {_KINDS[type(video_ids)]}"
        )
    return video_ids, client.rank(user, candidates)


def _rank_by_id(
    client: RankingClient,
    user_id: str,
    candidates: str | None,
    config_file: Path | None,
    state_dir: str | None,
    place: str | None,
    catalog: str | None,
    features: tuple[str, ...],
    time_ms: int | None,
) -> tuple[Sequence[str], RankResult]:
    from preprocessing.engine.output_folder import shared_inputs
    from serving.online.ranker import Ranker
    from serving.online.video_catalog import VideoCatalog

    if not user_id:
        raise click.UsageError("--user is empty")
    video_ids = [part.strip() for part in (candidates or "").split(",") if part.strip()]
    if not video_ids:
        raise click.UsageError("--user needs --candidates")
    if state_dir is None and place is None:
        raise click.UsageError("--user needs --state, --store or both")
    config = read_features(config_file)
    with (
        shared_inputs(state_dir, catalog),
        open_store(state_dir, place, config, make=False) as users,
    ):
        ranker = Ranker(client, users, VideoCatalog(catalog, config), config)
        ranking = ranker.rank(user_id, video_ids, _features(features, config), time_ms)
    return ranking.video_ids, ranking.result


def _features(options: tuple[str, ...], config: FeatureConfig) -> dict[str, Any]:
    """Declared features in their types: text, a number, or a list (of JSON)."""
    types = {extra.name: extra.type for extra in config.inputs}
    features: dict[str, Any] = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals:
            raise click.UsageError(f"--feature takes NAME=VALUE. Received: {option!r}")
        try:
            textual = types.get(name, "categorical") == "categorical"
            features[name] = text if textual else json.loads(text)
        except ValueError as error:
            raise click.UsageError(
                f"--feature {name} is a {types[name]} feature. Received: {text!r}"
            ) from error
    return features
