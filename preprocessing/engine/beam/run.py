"""A Beam pipeline that writes the feature table, the state and the rejects as files."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from preprocessing.checks.counts import LogSummary
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.features import (
    BuildFeatures,
    ReadImpressions,
    read_summary,
    write_rejects,
    write_state,
)
from preprocessing.engine.beam.sink import WriteTables
from preprocessing.features.passes import feature_schema
from preprocessing.storage.files import join


def run_in_beam(
    source: SourceConfig,
    features: FeatureConfig,
    data_dir: str,
    out_dir: str,
    state_dir: str | None,
    beam_args: Sequence[str],
) -> LogSummary:
    """Runs the pipeline to its end.

    Args:
        source: The log's format.
        features: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        out_dir: Folder for `features/`, `rejects/` and `state/`; all of them, and the
            log, in reach of the runner's workers.
        state_dir: State that the log goes on from, or None.
        beam_args: Pipeline options.
    """
    rejects_dir = join(out_dir, "rejects")
    with beam.Pipeline(options=PipelineOptions(list(beam_args))) as pipeline:
        log = pipeline | ReadImpressions(source, features, data_dir, state_dir)
        outputs = log | BuildFeatures(features)
        write_rejects(outputs, rejects_dir)
        write_state(outputs, join(out_dir, "state"))
        _ = outputs.features | "WriteFeatures" >> WriteTables(
            FileSystems.join(out_dir, "features", "part"), feature_schema(features)
        )
    return read_summary(rejects_dir)
