"""A feature table by itself, outside any pipeline: a log in, table and state out.

summary = run_features(source, features, "log/", "out/")
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from preprocessing.checks.counts import LogSummary, check_rejects
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_threads import LocalEngine, Progress
from preprocessing.engine.output_folder import OutputFolder
from preprocessing.sources import open_source
from preprocessing.state.files import State, finish_state, open_state
from preprocessing.storage.files import is_remote, join, local_path


def run_features(
    source: SourceConfig,
    features: FeatureConfig,
    data_dir: str,
    out_dir: str,
    state_dir: str | None = None,
    *,
    beam_args: Sequence[str] | None = None,
    threads: int | None = None,
    progress: Progress = lambda step, done, parts: None,
) -> LogSummary:
    """Builds the feature table of a log, the state after it, and its rejects.

    Writes what `output_folder` describes. Runs on this machine in threads or, given
    `beam_args`, on a Beam runner; both give the same rows.

    Args:
        source: The log's format.
        features: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        out_dir: Folder for the output: a path or a URI. An earlier output in it is
            replaced once the new one is whole, and stays if the run fails.
        state_dir: State that the log goes on from, or the output folder of the run that
            wrote it; in the place of one that the source brings.
        beam_args: Options of a Beam pipeline, for instance `["--runner=FlinkRunner"]`.
        threads: Shards worked on at a time; by default one a CPU. Not for Beam.
        progress: Told the step's name, how many parts of it are done, and of how many.

    Raises:
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract; the message says where
            they are.
    """
    log = open_source(source, features, data_dir)
    log.splits()
    state = None if state_dir is None else open_state(state_dir, features)
    output = OutputFolder(out_dir)
    output.begin()
    if beam_args is None:
        parallel = threads or len(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory(dir=_spill_parent(output)) as spill:
            engine = LocalEngine(
                log, features, state, output.staging, Path(spill), parallel, progress
            )
            summary = engine.run()
    else:
        from preprocessing.engine.beam.run import run_in_beam

        progress("beam", 0, 1)
        summary = run_in_beam(
            source, features, data_dir, output.staging, state_dir, beam_args
        )
        progress("beam", 1, 1)
        check_rejects(summary, features, join(output.staging, "rejects"))
    _finish(output, summary, features, state)
    return summary


def _finish(
    output: OutputFolder,
    summary: LogSummary,
    features: FeatureConfig,
    state: State | None,
) -> None:
    before = None if state is None else state.info
    staged = join(output.staging, "state")
    finish_state(staged, summary.last_event_ms, features, before)
    output.finish(summary)


def _spill_parent(output: OutputFolder) -> str | None:
    """The output's disk, which has room for it; else the system's temporary folder."""
    if is_remote(output.staging):
        return None
    os.makedirs(local_path(output.staging), exist_ok=True)
    return local_path(output.staging)
