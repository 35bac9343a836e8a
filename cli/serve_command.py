"""`poso serve`: the embedded server."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve")
@click.option(
    "--model",
    "model_dir",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of numbered version folders, e.g. runs/demo/serving.",
)
@click.option("--name", default="ranker", show_default=True, help="The model's name.")
@click.option(
    "--grpc-port", default=8500, show_default=True, help="0 picks a free one."
)
@click.option(
    "--rest-port", default=8501, show_default=True, help="0 picks a free one."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on."
)
@click.option(
    "--batching-parameters-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Merge requests into batches, as this file says in TensorFlow Serving's format.",
)
def command(
    model_dir: Path,
    name: str,
    grpc_port: int,
    rest_port: int,
    host: str,
    batching_parameters_file: Path | None,
) -> None:
    """Serve the newest version of a model over gRPC and REST.

    Speaks TensorFlow Serving's protocols: gRPC PredictionService and ModelService,
    REST /v1/models/NAME. Stop it with Ctrl-C; requests in flight are finished.

    \b
    Example:
      poso serve --model runs/demo/serving
    """
    from serving.batching_config import read_batching_config
    from serving.server import serve_forever
    from serving.text_config import ConfigError

    batching = None
    if batching_parameters_file is not None:
        try:
            batching = read_batching_config(batching_parameters_file)
        except ConfigError as error:
            raise click.ClickException(str(error)) from error
    serve_forever(
        model_dir,
        name=name,
        grpc_port=grpc_port,
        rest_port=rest_port,
        host=host,
        batching=batching,
    )
