"""Runs the pipeline on this machine, with sqlite metadata and in-memory Beam."""

from __future__ import annotations

import os

from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from pipeline.config import RunConfig
from pipeline.partial_runs import PartlyCachedRunner, node_and_following
from pipeline.pipeline import create_pipeline
from pipeline.progress import report_progress
from pipeline.runners.finished_runs import RunRequest
from pipeline.runners.run_paths import RunPaths
from pipeline.training.strategies.build import prepare_devices
from pipeline.validation.trial_retry import trial_to_retry

# None: in this process with one worker is Beam's default, and as soon as there is any
# argument TFX packs itself up for workers elsewhere, seconds for each component.
BEAM_ARGS: tuple[str, ...] = ()


def local_pipeline(request: RunRequest, paths: RunPaths) -> Pipeline:
    """The pipeline as this machine runs it.

    Args:
        request: What is to be run.
        paths: Where the run goes; a second run with the same folder continues it and
            reuses every component whose inputs have not changed, but for a trial in
            the server that failed.
    """
    paths.out.mkdir(parents=True, exist_ok=True)
    return create_pipeline(
        request.config,
        data_dir=str(request.data_dir.resolve()),
        pipeline_root=str(paths.pipeline_root.resolve()),
        serving_dir=str(paths.serving.resolve()),
        rejects_dir=str(paths.rejects.resolve()),
        input_state=request.input_state,
        serving_logs_state=request.serving_logs_state,
        input_options=request.input_options,
        metadata_connection_config=(
            sqlite_metadata_connection_config(str(paths.metadata.resolve()))
        ),
        beam_pipeline_args=BEAM_ARGS,
        last_day="" if request.day is None else request.day.isoformat(),
        retry_of=trial_to_retry(paths.trials.resolve()),
        until=request.until,
    )


def run_locally(pipeline: Pipeline, config: RunConfig, again_from: str = "") -> None:
    """Runs every component of a local pipeline in this process, one after the other.

    A cluster that another job left in the environment is taken out of it, where the
    strategy has none, or one that it starts: as one of its workers TFX's Trainer would
    not write the model.

    Args:
        pipeline: Of `local_pipeline`.
        config: The run's configuration.
        again_from: Id of a component that runs again, with all that follow from it,
            even if nothing has changed; empty for none.

    Raises:
        UnknownComponentError: There is no such component.
    """
    again = node_and_following(pipeline.components, again_from)
    strategy = config.training.strategy
    alone = not strategy.in_processes or strategy.local_workers is not None
    if alone and os.environ.pop("TF_CONFIG", None) is not None:
        report_progress(
            "TF_CONFIG in the environment is not used: training.strategy is "
            f"'{config.training.strategy.kind}'"
        )
    prepare_devices(config.training.strategy)
    PartlyCachedRunner(again).run(pipeline)
