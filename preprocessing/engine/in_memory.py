"""The feature engine in one process: for tests, experiments and small logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from preprocessing.checks.counts import EmptyLogError, LogSummary, Tally
from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.contract.schema import REJECT_SCHEMA
from preprocessing.engine.partition import partition
from preprocessing.engine.steps import read_split, user_shard, video_shard
from preprocessing.features.passes import feature_schema
from preprocessing.sources import open_source
from preprocessing.state.files import open_state, read_state
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.storage.files import DataFile


class FeatureTable(NamedTuple):
    """A log's features, and the state after it.

    Attributes:
        features: By `features.feature_schema`, grouped by shard of the user.
        rejects: By `contract.REJECT_SCHEMA`.
        rows_in: Rows in the input; those of `features` and `rejects` add up to it.
        user_state: By `state.USER_STATE_SCHEMA`.
        video_state: By `state.VIDEO_STATE_SCHEMA`.
    """

    features: pa.Table
    rejects: pa.Table
    rows_in: int
    user_state: pa.Table
    video_state: pa.Table

    @property
    def summary(self) -> LogSummary:
        """The counts, as `rejects.check_rejects` takes them."""
        parts = (
            Tally.of_rejects(self.rejects, self.rows_in),
            Tally.of_examples(self.features),
        )
        return Tally.total(parts).summary()


class ComputedFeatures(NamedTuple):
    """`FeatureTable` of validated impressions; its only rejects are duplicates."""

    features: pa.Table
    rejects: pa.Table
    user_state: pa.Table
    video_state: pa.Table


def build_feature_table(
    source: SourceConfig,
    config: FeatureConfig,
    data_dir: str,
    state_dir: str | None = None,
) -> FeatureTable:
    """Computes a log's feature table in this process, in memory.

    The same functions as in `beam_features`, shard by shard; the result does not depend
    on the number of shards.

    Args:
        source: The log's format.
        config: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        state_dir: State that the log goes on from (`state_files.open_state`), in the
            place of one that the source brings.

    Raises:
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
    """
    log = open_source(source, config, data_dir)
    state = None if state_dir is None else open_state(state_dir, config)
    info = None if state is None else state.info
    reads = [
        rows for split in log.splits() for rows in read_split(log, split, config, info)
    ]
    rows_in = sum(rows.rows_in for rows in reads)
    if not rows_in:
        raise EmptyLogError(f"the impression log in {data_dir} has no rows")
    if state is None:
        before = [log.user_state(), None]
    else:
        before = [_read(state.user_files), _read(state.video_files)]
    computed = compute_features((rows.accepted for rows in reads), config, *before)
    rejects = [computed.rejects, *(rows.rejects for rows in reads)]
    return FeatureTable(
        computed.features,
        pa.concat_tables(rejects),
        rows_in,
        computed.user_state,
        computed.video_state,
    )


def compute_features(
    accepted: Iterable[pa.Table],
    config: FeatureConfig,
    user_state: pa.Table | None = None,
    video_state: pa.Table | None = None,
) -> ComputedFeatures:
    """The two passes over validated impressions.

    Args:
        accepted: Out of `validation.validate`, the whole log in any parts and order.
        config: The feature configuration.
        user_state: By `state.USER_STATE_SCHEMA`.
        video_state: By `state.VIDEO_STATE_SCHEMA`.
    """
    videos = [] if video_state is None else [video_state]
    users = [] if user_state is None else [user_state]
    by_video = _shuffled([*accepted, *videos], VIDEO_ID, config.shards)
    seen, rejects = [], [REJECT_SCHEMA.empty_table()]
    video_states = [VIDEO_STATE_SCHEMA.empty_table()]
    for shard in sorted(by_video):
        videos_done = video_shard(by_video.pop(shard), config)
        seen.append(videos_done.kept)
        rejects.append(videos_done.rejects)
        video_states.append(videos_done.state)
    by_user = _shuffled([*seen, *users], USER_ID, config.shards)
    features = [feature_schema(config).empty_table()]
    user_states = [USER_STATE_SCHEMA.empty_table()]
    for shard in sorted(by_user):
        users_done = user_shard(by_user.pop(shard), config)
        features.append(users_done.features)
        user_states.append(users_done.state)
    return ComputedFeatures(
        *map(pa.concat_tables, (features, rejects, user_states, video_states))
    )


def _read(files: Iterable[DataFile]) -> pa.Table:
    return pa.concat_tables([table for file in files for table in read_state(file)])


def _shuffled(
    tables: Iterable[pa.Table], key: str, shards: int
) -> dict[int, list[pa.Table]]:
    """Rows of all tables by shard of their key: what a shuffle does in Beam."""
    parts: dict[int, list[pa.Table]] = defaultdict(list)
    for table in tables:
        for shard, rows in partition(table, key, shards):
            parts[shard].append(rows)
    return parts
