"""The feature engine on one machine: threads, shards on disk, results in files.

What is in memory at a time is a shard for each thread: Arrow and numpy work outside of
Python's lock.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from preprocessing.checks.counts import LogSummary, check_rejects
from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.disk_shuffle import DiskShuffle
from preprocessing.engine.log_input import LogInput
from preprocessing.engine.outputs import Outputs
from preprocessing.engine.two_passes import (
    Check,
    Kept,
    Progress,
    TwoPasses,
    no_check,
    no_progress,
    not_told,
)
from preprocessing.state.rates import KEY


def run_in_threads(
    log: LogInput,
    config: FeatureConfig,
    outputs: Outputs,
    rejects_dir: str,
    spill_dir: Path,
    threads: int,
    progress: Progress = no_progress,
    kept: Kept = not_told,
) -> LogSummary:
    """Computes a log's features, rejects and state.

    The caller marks the output as whole; after an error all but the rejects is
    incomplete.

    Args:
        log: The log and the state that it starts from.
        config: The feature configuration.
        outputs: Where they go.
        rejects_dir: Where the rejects are, for the message.
        spill_dir: An empty folder on this machine's disk for shards.
        threads: Shards worked on at a time.
        progress: Told the step's name, how many parts of it are done, and of how many.
        kept: As for `TwoPasses`.

    Raises:
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract; they are in the outputs.
    """
    check = partial(_stop_on_too_many_rejects, config=config, rejects_path=rejects_dir)
    engine = on_this_disk(config, outputs, spill_dir, threads, progress, check, kept)
    return engine.run(log)


def on_this_disk(
    config: FeatureConfig,
    outputs: Outputs,
    spill_dir: Path,
    threads: int,
    progress: Progress = no_progress,
    check: Check = no_check,
    kept: Kept = not_told,
) -> TwoPasses:
    """The engine with its shards in a folder of this machine's disk.

    Args:
        config: The feature configuration.
        outputs: Where results go.
        spill_dir: An empty folder.
        threads: Shards worked on at a time.
        progress: As for `TwoPasses`, and so are the others.
        check: May stop the run once rows are counted.
        kept: Is given what becomes examples.
    """
    return TwoPasses(
        config,
        DiskShuffle(spill_dir / "by-video", VIDEO_ID, config.shards),
        DiskShuffle(spill_dir / "by-user", USER_ID, config.shards),
        DiskShuffle(spill_dir / "by-subject", KEY, config.shards),
        outputs,
        threads,
        progress,
        check,
        kept,
    )


def _stop_on_too_many_rejects(
    counts: LogSummary, config: FeatureConfig, rejects_path: str
) -> None:
    """Checks the rejects as soon as they are known: what is left would be examples."""
    examples = counts.rows_in - counts.rejects
    check_rejects(replace(counts, examples=examples), config, rejects_path)
