"""A Beam pipeline that writes the feature table, the state and the rejects as files."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from preprocessing.checks.counts import LogSummary
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.features import BuildFeatures
from preprocessing.engine.beam.outputs import (
    COUNTS_FILE,
    finish_outputs,
    write_rejects,
    write_state,
)
from preprocessing.engine.beam.read_log import ReadImpressions
from preprocessing.engine.beam.sink import WriteTables
from preprocessing.engine.outputs import FEATURES, REJECTS, STATE
from preprocessing.features.columns import feature_schema
from preprocessing.state.files import open_state
from preprocessing.storage.files import join, remove_tree


def write_feature_table_on_beam(
    source: SourceConfig,
    features: FeatureConfig,
    data_dir: str,
    out_dir: str,
    state_dir: str | None,
    beam_args: Sequence[str],
) -> LogSummary:
    """Runs the pipeline to its end; the caller marks the output as whole.

    Args:
        source: The log's format.
        features: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        out_dir: Folder for `features/`, `rejects/` and `state/`; it and the log must be
            in reach of the runner's workers.
        state_dir: State to start from, or None; replaces the source's own.
        beam_args: Pipeline options.

    Raises:
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract; they are in `rejects/`.
        ValueError: Beam lacks the client of the output's store.
    """
    check_beam_can_write(out_dir)
    rejects_dir, new_state_dir = join(out_dir, REJECTS), join(out_dir, STATE)
    previous = None
    if state_dir is not None:
        previous = open_state(state_dir, features, checked=False).info
    with beam.Pipeline(options=PipelineOptions(list(beam_args))) as pipeline:
        log = pipeline | ReadImpressions(source, features, data_dir, state_dir)
        outputs = log | BuildFeatures(features)
        write_rejects(outputs, rejects_dir)
        write_state(outputs, new_state_dir, features)
        _ = outputs.features | "WriteFeatures" >> WriteTables(
            FileSystems.join(out_dir, FEATURES, "part"), feature_schema(features)
        )
    summary = finish_outputs(rejects_dir, new_state_dir, features, previous)
    remove_tree(join(rejects_dir, COUNTS_FILE))  # the output's summary holds the same
    return summary


def check_beam_can_write(place: str) -> None:
    """Checks that Beam has what it writes to a store with.

    We read `s3://` by Arrow's client, also on a runner; Beam writes there by Amazon's.

    Args:
        place: A path or a URI.

    Raises:
        ValueError: A package is missing; the message names it.
    """
    if place.startswith("s3://") and importlib.util.find_spec("boto3") is None:
        raise ValueError(
            f"{place}: to write to s3:// a Beam runner needs a package more, here and "
            f"on its workers: pip install 'apache-beam[aws]=={beam.__version__}'. "
            "Threads of this machine (no --runner) do without"
        )
