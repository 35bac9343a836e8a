"""The feature engine in one process: for tests, experiments and small logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from preprocessing.column_names import USER_ID, VIDEO_ID
from preprocessing.config import FeatureConfig, SourceConfig
from preprocessing.contract import REJECT_SCHEMA
from preprocessing.features import feature_schema
from preprocessing.rejects import EmptyLogError, LogSummary, count_reasons, summarize
from preprocessing.sharding import partition
from preprocessing.shards import read_split, user_shard, video_shard
from preprocessing.sources import open_source


class FeatureTable(NamedTuple):
    """A log's features.

    Attributes:
        features: By `features.feature_schema`, grouped by shard of the user.
        rejects: By `contract.REJECT_SCHEMA`.
        rows_in: Rows in the input; those of `features` and `rejects` add up to it.
    """

    features: pa.Table
    rejects: pa.Table
    rows_in: int

    @property
    def summary(self) -> LogSummary:
        """The counts, as `rejects.check_rejects` takes them."""
        reasons = count_reasons(self.rejects)
        return summarize(self.rows_in, self.features.num_rows, reasons)


def build_feature_table(
    source: SourceConfig, config: FeatureConfig, data_dir: str
) -> FeatureTable:
    """Computes a log's feature table in this process, in memory.

    The same functions as in `beam_features`, shard by shard; the result does not depend
    on the number of shards.

    Args:
        source: The log's format.
        config: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        SourceError: The input cannot be used.
        EmptyLogError: The log has no rows.
    """
    log = open_source(source, config, data_dir)
    reads = [rows for split in log.splits() for rows in read_split(log, split, config)]
    rows_in = sum(rows.rows_in for rows in reads)
    if not rows_in:
        raise EmptyLogError(f"the impression log in {data_dir} has no rows")
    features, repeated = compute_features(
        (rows.accepted for rows in reads), config, log.user_state()
    )
    rejects = [rows.rejects for rows in reads]
    return FeatureTable(features, pa.concat_tables([repeated, *rejects]), rows_in)


def compute_features(
    accepted: Iterable[pa.Table],
    config: FeatureConfig,
    user_state: pa.Table | None = None,
    video_state: pa.Table | None = None,
) -> tuple[pa.Table, pa.Table]:
    """The two passes over validated impressions.

    Args:
        accepted: Out of `validation.validate`, the whole log in any parts and order.
        config: The feature configuration.
        user_state: By `state.USER_STATE_SCHEMA`.
        video_state: By `state.VIDEO_STATE_SCHEMA`.

    Returns:
        The feature table and the duplicates (`contract.REJECT_SCHEMA`).
    """
    videos = [] if video_state is None else [video_state]
    users = [] if user_state is None else [user_state]
    by_video = _shuffled([*accepted, *videos], VIDEO_ID, config.shards)
    seen, rejects = [], [REJECT_SCHEMA.empty_table()]
    for shard in sorted(by_video):
        kept, repeated = video_shard(by_video.pop(shard), config)
        seen.append(kept)
        rejects.append(repeated)
    by_user = _shuffled([*seen, *users], USER_ID, config.shards)
    features = [feature_schema(config).empty_table()]
    for shard in sorted(by_user):
        part = user_shard(by_user.pop(shard), config)
        if part is not None:
            features.append(part)
    return pa.concat_tables(features), pa.concat_tables(rejects)


def _shuffled(
    tables: Iterable[pa.Table], key: str, shards: int
) -> dict[int, list[pa.Table]]:
    """Rows of all tables by shard of their key: what a shuffle does in Beam."""
    parts: dict[int, list[pa.Table]] = defaultdict(list)
    for table in tables:
        for shard, rows in partition(table, key, shards):
            parts[shard].append(rows)
    return parts
