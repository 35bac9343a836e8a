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
    rejects = [rows.rejects for rows in reads]

    by_video = _shuffled((rows.accepted for rows in reads), VIDEO_ID, config.shards)
    seen = []
    for shard in sorted(by_video):
        kept, repeated = video_shard(by_video.pop(shard), config)
        seen.append(kept)
        rejects.append(repeated)

    state = log.user_state()
    states = [] if state is None else [state]
    by_user = _shuffled([*seen, *states], USER_ID, config.shards)
    del seen
    parts = [user_shard(by_user.pop(shard), config) for shard in sorted(by_user)]
    empty = feature_schema(config).empty_table()
    features = pa.concat_tables([empty, *(part for part in parts if part is not None)])
    return FeatureTable(
        features, pa.concat_tables([REJECT_SCHEMA.empty_table(), *rejects]), rows_in
    )


def _shuffled(
    tables: Iterable[pa.Table], key: str, shards: int
) -> dict[int, list[pa.Table]]:
    """Rows of all tables by shard of their key: what a shuffle does in Beam."""
    parts: dict[int, list[pa.Table]] = defaultdict(list)
    for table in tables:
        for shard, rows in partition(table, key, shards):
            parts[shard].append(rows)
    return parts
