"""`poso compile`: the pipeline as a Kubeflow specification."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import (
    NEW_FILE,
    PLACE,
    beam_option,
    config_option,
    data_option,
    read_config,
    set_option,
)
from cli.out_folder import check_written_apart
from preprocessing.storage.files import join
from preprocessing.storage.overlap import Place, lies_in, whole


@click.command("compile")
@config_option("YAML configuration; see configs/ for examples.", required=True)
@data_option("The log's place, e.g. gs://bucket/log.")
@click.option(
    "--pipeline-root",
    required=True,
    type=PLACE,
    help="Where artifacts go, e.g. gs://bucket/runs.",
)
@click.option(
    "--serving-dir",
    type=PLACE,
    help="Where blessed models are pushed.  [default: PIPELINE_ROOT/serving]",
)
@click.option(
    "--image", required=True, help="Image built from this project's Dockerfile."
)
@click.option(
    "--output",
    type=NEW_FILE,
    default=Path("pipeline.yaml"),
    show_default=True,
    help=".yaml for Kubeflow Pipelines, .json for a Vertex AI job.",
)
@beam_option("Passed to Beam", "--runner=DataflowRunner")
@set_option("training.epochs=3")
def command(
    config_file: Path,
    data_dir: str,
    pipeline_root: str,
    serving_dir: str | None,
    image: str,
    output: Path,
    beam_args: tuple[str, ...],
    overrides: tuple[str, ...],
) -> None:
    """Compile the pipeline for Kubeflow Pipelines v2 or Vertex AI.

    Nothing is read, built or started: the specification names the image and the
    places, and the cluster does the rest.

    \b
    Example:
      poso compile --config configs/demo.yaml --data gs://bucket/log \\
        --pipeline-root gs://bucket/runs --image registry.example/poso:0.1.0
    """
    from cli.console import library_output_to
    from pipeline.runners.spec_file import check_spec_file

    serving_dir = serving_dir or join(pipeline_root, "serving")
    _check_places(data_dir, pipeline_root, serving_dir, output)
    config = read_config(config_file, overrides)
    if config.training.strategy.on_machines:
        raise click.ClickException(
            "a compiled pipeline trains in a single pod: set "
            "training.strategy.local_workers, or another training.strategy.kind. "
            f"Received: {config.training.strategy.kind}"
        )
    if config.training.warm_start:
        raise click.ClickException(
            "a compiled pipeline cannot find the models of an earlier day, which "
            "training.warm_start starts from: set it to false"
        )
    try:
        check_spec_file(output)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    with library_output_to(output.with_suffix(".log"), "--output", output) as console:
        from pipeline.runners.kubeflow import compile_for_kubeflow

        compile_for_kubeflow(
            config,
            output,
            image=image,
            data_dir=data_dir,
            pipeline_root=pipeline_root,
            serving_dir=serving_dir,
            beam_pipeline_args=beam_args,
        )
        console.print(f"wrote {output}", soft_wrap=True)


def _check_places(
    data_dir: str, pipeline_root: str, serving_dir: str, output: Path
) -> None:
    """Checks that the cluster would not write into the log, nor push into rejects.

    The log may lie in the pipeline's root, beside what is written there.
    """
    rejects = join(pipeline_root, "rejects")
    log = whole("--data", data_dir)
    check_written_apart(Place("--pipeline-root", pipeline_root, (rejects,)), log)
    check_written_apart(whole("--serving-dir", serving_dir), log)
    check_written_apart(whole("--output", str(output)), log)
    if lies_in(serving_dir, rejects):
        raise click.ClickException(
            f"--serving-dir {serving_dir} lies in {rejects}, which each run of "
            f"--pipeline-root {pipeline_root} replaces: give another --serving-dir"
        )
