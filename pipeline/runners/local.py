"""Runs the pipeline on this machine, with sqlite metadata and in-memory Beam."""

from __future__ import annotations

import os
from pathlib import Path

from tfx.orchestration.local import local_dag_runner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from pipeline.config import RunConfig
from pipeline.pipeline import create_pipeline
from pipeline.progress import report_progress
from pipeline.runners.run_paths import RunPaths
from pipeline.training.strategies.build import prepare_devices
from pipeline.validation.trial_retry import trial_to_retry
from preprocessing.sources.input_files import input_state

# None: in this process with one worker is Beam's default, and as soon as there is any
# argument TFX packs itself up for workers elsewhere, seconds for each component.
BEAM_ARGS: tuple[str, ...] = ()


def local_pipeline(
    config: RunConfig, data_dir: Path, paths: RunPaths, log_state: str | None = None
) -> Pipeline:
    """The pipeline as this machine runs it.

    Args:
        config: The run's configuration.
        data_dir: Folder (or file) of the impression log.
        paths: Where the run goes; a second run with the same folder continues it and
            reuses every component whose inputs have not changed, but for a trial in
            the server that failed.
        log_state: Changes when the log does; None looks at the log's files.
    """
    paths.out.mkdir(parents=True, exist_ok=True)
    log = str(data_dir.resolve())
    return create_pipeline(
        config,
        data_dir=log,
        pipeline_root=str(paths.pipeline_root.resolve()),
        serving_dir=str(paths.serving.resolve()),
        rejects_dir=str(paths.rejects.resolve()),
        input_state=log_state or input_state(config.source, config.features, log),
        metadata_connection_config=(
            sqlite_metadata_connection_config(str(paths.metadata.resolve()))
        ),
        beam_pipeline_args=BEAM_ARGS,
        retry_of=trial_to_retry(paths.trials.resolve()),
    )


def run_locally(pipeline: Pipeline, config: RunConfig) -> None:
    """Runs every component of a local pipeline in this process, one after the other.

    A cluster that another job left in the environment is taken out of it, where the
    strategy has none, or one that it starts: as one of its workers TFX's Trainer would
    not write the model.
    """
    strategy = config.training.strategy
    alone = not strategy.in_processes or strategy.local_workers is not None
    if alone and os.environ.pop("TF_CONFIG", None) is not None:
        report_progress(
            "TF_CONFIG in the environment is not used: training.strategy is "
            f"'{config.training.strategy.kind}'"
        )
    prepare_devices(config.training.strategy)
    local_dag_runner.LocalDagRunner().run(pipeline)
