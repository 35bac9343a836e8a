"""Writes a feature table outside any pipeline: a log in, table and state out.

summary = write_feature_table(source, features, "log/", "out/")
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from preprocessing.checks.counts import LogSummary
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.cores import usable_cores
from preprocessing.engine.in_threads import run_in_threads
from preprocessing.engine.log_input import LogInput, open_log
from preprocessing.engine.output_folder import (
    OutputFolder,
    check_places,
    shared_inputs,
)
from preprocessing.engine.outputs import REJECTS, STATE, FileOutputs
from preprocessing.engine.steps import finish_run
from preprocessing.engine.two_passes import Progress, no_progress
from preprocessing.storage.files import is_remote, join, local_path


def write_feature_table(
    source: SourceConfig,
    features: FeatureConfig,
    data_dir: str,
    out_dir: str,
    state_dir: str | None = None,
    *,
    beam_args: Sequence[str] | None = None,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> LogSummary:
    """Writes the feature table of a log, the state after it, and its rejects.

    Writes what `engine.output_folder` describes. Runs on this machine in threads or,
    given `beam_args`, on a Beam runner; both give the same rows.

    Args:
        source: The log's format.
        features: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        out_dir: Folder for the output: a path or a URI. An earlier output in it is
            replaced once the new one is whole, and stays if the run fails. Nothing else
            is replaced.
        state_dir: State to start from, or the output folder of the run that wrote it;
            replaces the source's own.
        beam_args: Options of a Beam pipeline, for instance `["--runner=FlinkRunner"]`.
        threads: Shards worked on at a time; by default one per CPU. Not for Beam.
        progress: Told the step's name, how many parts of it are done, and of how many.

    Raises:
        FolderInUseError: Another process writes one of these folders, or reads from
            the output's.
        OverlapError: The output would lie in the log or the state, or they in it.
        OutputFolderError: The folder holds what no earlier run made, where ours goes.
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract; the message says where
            they are.
    """
    check_places(out_dir, data_dir, state_dir)
    output = OutputFolder(out_dir)
    with shared_inputs(data_dir, state_dir, held=out_dir):
        log = open_log(source, features, data_dir, state_dir)
        log.parts()
        with output.held():
            output.begin()
            if beam_args is None:
                summary = _in_threads(log, features, output, threads, progress)
            else:
                from preprocessing.engine.beam.run import write_feature_table_on_beam

                progress("beam", 0, 1)
                summary = write_feature_table_on_beam(
                    source, features, data_dir, output.staging, state_dir, beam_args
                )
                progress("beam", 1, 1)
            output.finish(summary, features)
    return summary


def _in_threads(
    log: LogInput,
    features: FeatureConfig,
    output: OutputFolder,
    threads: int | None,
    progress: Progress,
) -> LogSummary:
    staging = output.staging
    parallel = threads or usable_cores()
    rejects, state = join(staging, REJECTS), join(staging, STATE)
    outputs = FileOutputs(staging, features)
    with tempfile.TemporaryDirectory(dir=_spill_parent(output)) as spill:
        summary = run_in_threads(
            log, features, outputs, rejects, Path(spill), parallel, progress
        )
    finish_run(summary, features, rejects, state, log.state_info)
    return summary


def _spill_parent(output: OutputFolder) -> str | None:
    """The output's disk, which has room for it; else the system's temporary folder."""
    if is_remote(output.staging):
        return None
    os.makedirs(local_path(output.staging), exist_ok=True)
    return local_path(output.staging)
