"""Compiles the pipeline for Kubeflow Pipelines v2 and Vertex AI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tfx.v1 as tfx

from pipeline.config import ExamplesConfig, RunConfig
from pipeline.pipeline import create_pipeline
from pipeline.runners.spec_file import check_spec_file


def compile_for_kubeflow(
    config: RunConfig,
    output: Path,
    *,
    image: str,
    data_dir: str,
    pipeline_root: str,
    serving_dir: str,
    beam_pipeline_args: Sequence[str] = (),
) -> None:
    """Writes the pipeline's specification.

    Args:
        config: The run's configuration.
        output: File to write: `.yaml` is a pipeline spec (schema 2.1), `.json` a
            pipeline job that also names its root.
        image: The image built from the project's Dockerfile.
        data_dir: The impression log as the cluster sees it, such as `gs://...`.
        pipeline_root: Where the cluster keeps artifacts.
        serving_dir: Where blessed models are pushed.
        beam_pipeline_args: For instance `--runner=DataflowRunner` and what it needs.

    Raises:
        ValueError: The output is neither `.yaml` nor `.json`, or holds something else
            than an earlier specification.
    """
    check_spec_file(output)
    # A pod need not hold the log; its Beam runner has workers that do.
    on_beam = ExamplesConfig(engine="beam")
    config = config.model_copy(update={"examples": on_beam})
    output.parent.mkdir(parents=True, exist_ok=True)
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(
        config=tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
            default_image=image, use_pipeline_spec_2_1=True
        ),
        output_dir=str(output.parent),
        output_filename=output.name,
    )
    runner.run(
        create_pipeline(
            config,
            data_dir=data_dir,
            pipeline_root=pipeline_root,
            serving_dir=serving_dir,
            rejects_dir=f"{pipeline_root.rstrip('/')}/rejects",
            beam_pipeline_args=beam_pipeline_args,
            tensorflow_serving=True,
        )
    )
