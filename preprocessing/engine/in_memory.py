"""The feature engine in memory: for tests, benchmarks and small logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from preprocessing.checks.counts import EmptyLogError, LogSummary
from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.log_input import open_log
from preprocessing.engine.outputs import FEATURES, REJECTS, TableOutputs
from preprocessing.engine.shuffle import MemoryShuffle
from preprocessing.engine.two_passes import Check, TwoPasses, no_check
from preprocessing.state.files import state_parts
from preprocessing.state.rates import KEY


class FeatureTable(NamedTuple):
    """A log's features, and the state after it.

    Attributes:
        features: By `features.columns.feature_schema`, grouped by shard of the user.
        rejects: By `checks.rejects.REJECT_SCHEMA`.
        rows_in: Rows in the input; those of `features` and `rejects` add up to it.
        user_state: By `state.schema.USER_STATE_SCHEMA`.
        video_state: By `state.schema.VIDEO_STATE_SCHEMA`.
        left_out: Rows that `source.where` does not ask for.
        rate_state: By `state.rates.rate_state_schema`; None without rates.
    """

    features: pa.Table
    rejects: pa.Table
    rows_in: int
    user_state: pa.Table
    video_state: pa.Table
    left_out: int = 0
    rate_state: pa.Table | None = None

    @property
    def summary(self) -> LogSummary:
        """The counts, as `checks.counts.check_rejects` takes them."""
        parts = (
            LogSummary.of_rejects(self.rejects, self.rows_in, left_out=self.left_out),
            LogSummary.of_examples(self.features),
        )
        return LogSummary.total(parts).checked()


class ComputedFeatures(NamedTuple):
    """`FeatureTable` of validated impressions; its only rejects are duplicates."""

    features: pa.Table
    rejects: pa.Table
    user_state: pa.Table
    video_state: pa.Table
    rate_state: pa.Table | None = None


def compute_feature_table(
    source: SourceConfig,
    config: FeatureConfig,
    data_dir: str,
    state_dir: str | None = None,
) -> FeatureTable:
    """Computes a log's feature table in this process, in memory.

    The result does not depend on the number of shards. Rejects are not limited by
    `max_reject_rate`.

    Args:
        source: The log's format.
        config: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        state_dir: State to start from (`state.files.open_state`); replaces the
            source's own.

    Raises:
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
    """

    def check(counts: LogSummary) -> None:
        if not counts.rows_in:
            others = (
                f": source.where leaves out all {counts.left_out:,}"
                if counts.left_out
                else ""
            )
            raise EmptyLogError(f"the impression log in {data_dir} has no rows{others}")

    log = open_log(source, config, data_dir, state_dir)
    outputs = TableOutputs(config)
    summary = _engine(config, outputs, check).run(log)
    done = _computed(outputs, config)
    return FeatureTable(
        done.features,
        done.rejects,
        summary.rows_in,
        done.user_state,
        done.video_state,
        summary.left_out,
        done.rate_state,
    )


def compute_features(
    accepted: Iterable[pa.Table],
    config: FeatureConfig,
    user_state: pa.Table | None = None,
    video_state: pa.Table | None = None,
    rate_state: pa.Table | None = None,
) -> ComputedFeatures:
    """The two passes over validated impressions.

    Args:
        accepted: From `checks.validation.validate`, the whole log in any parts and
            order.
        config: The feature configuration.
        user_state: By `state.schema.USER_STATE_SCHEMA`, or None.
        video_state: By `state.schema.VIDEO_STATE_SCHEMA`, or None.
        rate_state: By `state.rates.rate_state_schema`, or None.

    Raises:
        StateError: A state breaks its schema.
    """
    users = [] if user_state is None else [user_state]
    videos = [] if video_state is None else [video_state]
    rates = [] if rate_state is None else [rate_state]
    outputs = TableOutputs(config)
    _engine(config, outputs, no_check).compute(accepted, users, videos, rates)
    return _computed(outputs, config)


def _engine(config: FeatureConfig, outputs: TableOutputs, check: Check) -> TwoPasses:
    return TwoPasses(
        config,
        MemoryShuffle(VIDEO_ID, config.shards),
        MemoryShuffle(USER_ID, config.shards),
        MemoryShuffle(KEY, config.shards),
        outputs,
        check=check,
    )


def _computed(outputs: TableOutputs, config: FeatureConfig) -> ComputedFeatures:
    names = (FEATURES, REJECTS, *state_parts(config))
    return ComputedFeatures(*map(outputs.table, names))
