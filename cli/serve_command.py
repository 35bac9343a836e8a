"""`poso serve`: the embedded server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.object_store import FolderOrUri, staged_models
from cli.options import FILE, FOLDER
from serving.server.settings.server_options import ServerOptions


@click.command("serve")
@click.option(
    "--model",
    "model_dir",
    type=FolderOrUri(),
    help="Folder of numbered version folders, e.g. runs/demo/serving; or its URI in an "
    "object store, of which a copy on this machine is kept up to date.",
)
@click.option(
    "--name",
    default=ServerOptions.name,
    show_default=True,
    help="The model's name.",
)
@click.option(
    "--model-config-file",
    type=FILE,
    help="Several models: TensorFlow Serving's models.config, instead of --model.",
)
@click.option(
    "--model-config-file-poll-wait-seconds",
    "config_poll_s",
    type=click.IntRange(min=0),
    default=int(ServerOptions.config_poll_s),
    show_default=True,
    help="Read that file again this often and serve what it says; 0: never.",
)
@click.option(
    "--file-system-poll-wait-seconds",
    "poll_s",
    type=click.IntRange(min=0),
    default=int(ServerOptions.poll_s),
    show_default=True,
    help="Look for new versions this often; 0: only at the start.",
)
@click.option(
    "--allow-version-labels-for-unavailable-models",
    is_flag=True,
    help="Let new labels name versions that are not loaded yet, as at the start.",
)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    default=ServerOptions.grpc_port,
    show_default=True,
    help="0 picks a free one.",
)
@click.option(
    "--rest-port",
    type=click.IntRange(0, 65535),
    default=ServerOptions.rest_port,
    show_default=True,
    help="0 picks a free one.",
)
@click.option(
    "--host",
    default=ServerOptions.host,
    show_default=True,
    help="Address to listen on.",
)
@click.option(
    "--batching-parameters-file",
    type=FILE,
    help="Merge requests into batches, as this file of TensorFlow Serving's says.",
)
@click.option(
    "--ssl-config-file",
    type=FILE,
    help="TensorFlow Serving's SSLConfig: TLS for both ports.",
)
@click.option(
    "--monitoring-config-file",
    type=FILE,
    help="TensorFlow Serving's MonitoringConfig. Without it, Prometheus finds metrics "
    "at /monitoring/prometheus/metrics of the REST port.",
)
@click.option(
    "--rest-api-timeout-in-ms",
    default=int(ServerOptions.rest_timeout_s * 1000),
    show_default=True,
    type=click.IntRange(min=1),
    help="Time for the answer to a REST request.",
)
@click.option(
    "--max-request-bytes",
    default=ServerOptions.max_request_bytes,
    show_default=True,
    type=click.IntRange(min=1),
    help="Largest request.",
)
@click.option(
    "--max-requests-in-flight",
    "max_in_flight",
    default=ServerOptions.max_in_flight,
    show_default=True,
    type=click.IntRange(min=1),
    help="More are refused as UNAVAILABLE (503).",
)
@click.option(
    "--request-log",
    type=FOLDER,
    help="Write a share of the answered Predict requests into files of this folder, "
    "ids of users included. By default none is written.",
)
@click.option(
    "--request-log-share",
    default=ServerOptions.request_log_share,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="That share, from 0 to 1.",
)
def command(
    model_dir: str | None,
    model_config_file: Path | None,
    batching_parameters_file: Path | None,
    ssl_config_file: Path | None,
    monitoring_config_file: Path | None,
    rest_api_timeout_in_ms: int,
    **options: Any,
) -> None:
    """Serve models over gRPC and REST, and new versions of them as they come.

    Speaks TensorFlow Serving's protocols: gRPC PredictionService and ModelService,
    REST /v1/models/NAME. A new version is loaded and warmed up in the background, then
    replaces the old one without a failed request; a broken one is reported, and the old
    one keeps serving. Stop it with Ctrl-C; requests in flight are finished.

    \b
    Examples:
      poso serve --model runs/demo/serving
      poso serve --model s3://bucket/run/serving
      poso serve --model-config-file models.config \\
        --model-config-file-poll-wait-seconds 30
    """
    if (model_dir is None) == (model_config_file is None):
        raise click.UsageError("Give either --model DIR or --model-config-file FILE.")
    from serving.server.ports import ListenError, check_ports
    from serving.server.settings.batching_config import read_batching_config
    from serving.server.settings.monitoring_config import read_monitoring_config
    from serving.server.settings.text_config import ServerConfigError
    from serving.server.settings.tls_config import read_tls_config

    try:
        for name, read, file in (
            ("batching", read_batching_config, batching_parameters_file),
            ("tls", read_tls_config, ssl_config_file),
            ("monitoring", read_monitoring_config, monitoring_config_file),
        ):
            options[name] = None if file is None else read(file)
        timeout_s = rest_api_timeout_in_ms / 1000
        server_options = ServerOptions(rest_timeout_s=timeout_s, **options)
        check_ports(server_options)  # before TensorFlow and a model are loaded
    except (ServerConfigError, ListenError) as error:
        raise click.ClickException(str(error)) from error
    from serving.server.embedded_server import serve_forever
    from serving.server.models.saved_model import ModelLoadError

    try:
        if model_dir is None:
            serve_forever(None, server_options, model_config_file)
            return
        with staged_models(model_dir, server_options.poll_s) as folder:
            serve_forever(folder, server_options)
    except (ServerConfigError, ModelLoadError, ListenError) as error:
        raise click.ClickException(str(error)) from error
