"""What the engine in Beam results in, and the files that it is written to."""

from __future__ import annotations

from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.parquetio import WriteToParquetBatched

from preprocessing.checks.counts import LogSummary
from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.steps import finish_run
from preprocessing.state.files import RATE_STATE, USER_STATE, VIDEO_STATE
from preprocessing.state.info import StateInfo
from preprocessing.state.rates import rate_state_schema
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.storage.files import join, read_text

COUNTS_FILE = "summary.json"


class FeatureOutputs(NamedTuple):
    """The results of a log.

    Attributes:
        features: Tables by `features.columns.feature_schema`.
        rejects: Tables by `checks.rejects.REJECT_SCHEMA`: rows that broke the contract.
        summary: One `LogSummary`.
        user_state: Every user after the log, by `state.schema.USER_STATE_SCHEMA`.
        video_state: Every video after the log, by `state.schema.VIDEO_STATE_SCHEMA`.
        rate_state: The rates' state after the log, by `state.rates.rate_state_schema`;
            None where none are configured.
    """

    features: beam.PCollection[pa.Table]
    rejects: beam.PCollection[pa.Table]
    summary: beam.PCollection[LogSummary]
    user_state: beam.PCollection[pa.Table]
    video_state: beam.PCollection[pa.Table]
    rate_state: beam.PCollection[pa.Table] | None = None


def write_rejects(outputs: FeatureOutputs, rejects_dir: str) -> None:
    """Writes the rejected rows (Parquet) and the counts (`summary.json`).

    Args:
        outputs: Of `BuildFeatures`.
        rejects_dir: Folder, a path or a URI.
    """
    _ = outputs.rejects | "WriteRejects" >> WriteToParquetBatched(
        FileSystems.join(rejects_dir, "rejects"),
        REJECT_SCHEMA,
        file_name_suffix=".parquet",
    )
    _ = (
        outputs.summary
        | "SummaryAsJson" >> beam.Map(LogSummary.to_json)
        | "WriteSummary"
        >> beam.io.WriteToText(
            FileSystems.join(rejects_dir, COUNTS_FILE),
            num_shards=1,
            shard_name_template="",
        )
    )


def write_state(outputs: FeatureOutputs, state_dir: str, config: FeatureConfig) -> None:
    """Writes the state after the log (Parquet); `finish_outputs` marks it as whole.

    Args:
        outputs: Of `BuildFeatures`.
        state_dir: An empty folder, a path or a URI.
        config: The feature configuration.
    """
    parts = [
        (USER_STATE, outputs.user_state, USER_STATE_SCHEMA),
        (VIDEO_STATE, outputs.video_state, VIDEO_STATE_SCHEMA),
    ]
    if outputs.rate_state is not None:
        parts.append((RATE_STATE, outputs.rate_state, rate_state_schema(config)))
    for name, tables, schema in parts:
        _ = tables | f"Write[{name}]" >> WriteToParquetBatched(
            FileSystems.join(state_dir, name, "part"),
            schema,
            file_name_suffix=".parquet",
        )


def read_summary(rejects_dir: str) -> LogSummary:
    """Reads the counts that `write_rejects` left in a folder."""
    return LogSummary.from_json(read_text(join(rejects_dir, COUNTS_FILE)))


def finish_outputs(
    rejects_dir: str,
    state_dir: str,
    config: FeatureConfig,
    previous: StateInfo | None = None,
) -> LogSummary:
    """Ends a run once its pipeline has finished: its state is whole unless it failed.

    Args:
        rejects_dir: As given to `write_rejects`.
        state_dir: As given to `write_state`.
        config: The feature configuration.
        previous: Of the state that the log started from; None without one.

    Returns:
        The run's counts.

    Raises:
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract.
    """
    summary = read_summary(rejects_dir)
    finish_run(summary, config, rejects_dir, state_dir, previous)
    return summary
