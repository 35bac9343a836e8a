"""What is done to one split and to one shard: the steps that every engine shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from preprocessing.column_names import SOURCE_FILE, SOURCE_ROW
from preprocessing.config import FeatureConfig
from preprocessing.contract import traced_schema
from preprocessing.duplicates import Deduplicated, drop_duplicates
from preprocessing.features import user_features, video_features
from preprocessing.sources import Source, Split
from preprocessing.state import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.validation import reject_table, validate

MALFORMED = "the line has another number of cells than the header"


class ReadRows(NamedTuple):
    """Some rows of a split: how many there were, and their two outcomes."""

    rows_in: int
    accepted: pa.Table
    rejects: pa.Table


def read_split(
    source: Source, split: Split, config: FeatureConfig
) -> Iterator[ReadRows]:
    """Reads and validates a part of the input."""
    for raw in source.read(split):
        accepted, rejects = validate(raw.table, split.name, raw.first_row, config)
        lines = [{"line": line} for line in raw.malformed]
        if lines:
            malformed = reject_table(
                lines, [MALFORMED] * len(lines), [split.name] * len(lines)
            )
            rejects = pa.concat_tables([rejects, malformed])
        yield ReadRows(raw.table.num_rows + len(lines), accepted, rejects)


def video_shard(tables: Iterable[pa.Table], config: FeatureConfig) -> Deduplicated:
    """The first pass over a shard: duplicates go, the videos' features come.

    Args:
        tables: All impressions of some videos (`contract.traced_schema`) and, mixed
            with them, any video states (`state.VIDEO_STATE_SCHEMA`).
        config: The feature configuration.
    """
    log, state = _sorted_out(tables, VIDEO_STATE_SCHEMA)
    if log is None:
        log = traced_schema(config).empty_table()
    kept, rejects = drop_duplicates(log)
    kept = kept.drop([SOURCE_FILE, SOURCE_ROW])
    return Deduplicated(video_features(kept, state, config), rejects)


def user_shard(tables: Iterable[pa.Table], config: FeatureConfig) -> pa.Table | None:
    """The second pass over a shard: the users' features and the labels.

    Args:
        tables: All impressions of some users, out of `video_shard`, and, mixed with
            them, any user states (`state.USER_STATE_SCHEMA`).
        config: The feature configuration.

    Returns:
        By `features.feature_schema`; None where none of the users is in the log.
    """
    log, state = _sorted_out(tables, USER_STATE_SCHEMA)
    return None if log is None else user_features(log, state, config)


def _sorted_out(
    tables: Iterable[pa.Table], state_schema: pa.Schema
) -> tuple[pa.Table | None, pa.Table | None]:
    """Impressions and states of a shard, each as one table."""
    log: list[pa.Table] = []
    state: list[pa.Table] = []
    for table in tables:
        names = table.schema.names
        (state if names == state_schema.names else log).append(table)
    return _concatenated(log), _concatenated(state)


def _concatenated(tables: list[pa.Table]) -> pa.Table | None:
    return pa.concat_tables(tables).combine_chunks() if tables else None
