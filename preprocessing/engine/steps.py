"""What is done to one split and to one shard: the steps that every engine shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from preprocessing.checks.duplicates import drop_duplicates
from preprocessing.checks.validation import reject_table, validate
from preprocessing.contract.column_names import SOURCE_FILE, SOURCE_ROW
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import traced_schema
from preprocessing.features.next_state import next_video_state
from preprocessing.features.passes import (
    UserPass,
    feature_schema,
    user_features,
    video_features,
)
from preprocessing.sources import Source, Split
from preprocessing.state.files import StateInfo
from preprocessing.state.schema import (
    USER_STATE_SCHEMA,
    VIDEO_STATE_SCHEMA,
    check_state,
)

MALFORMED = "the line has another number of cells than the header"


class ReadRows(NamedTuple):
    """Some rows of a split: how many there were, and their two outcomes."""

    rows_in: int
    accepted: pa.Table
    rejects: pa.Table


class VideoShard(NamedTuple):
    """What comes of a shard of videos.

    Attributes:
        kept: The first of equal impressions, with the videos' features.
        rejects: The others (`contract.REJECT_SCHEMA`).
        state: The shard's videos after the log (`state.VIDEO_STATE_SCHEMA`).
    """

    kept: pa.Table
    rejects: pa.Table
    state: pa.Table


def read_split(
    source: Source,
    split: Split,
    config: FeatureConfig,
    state: StateInfo | None = None,
) -> Iterator[ReadRows]:
    """Reads and validates a part of the input."""
    for raw in source.read(split):
        accepted, rejects = validate(
            raw.table, split.name, raw.first_row, config, state
        )
        lines = [{"line": line} for line in raw.malformed]
        if lines:
            malformed = reject_table(
                lines, [MALFORMED] * len(lines), [split.name] * len(lines)
            )
            rejects = pa.concat_tables([rejects, malformed])
        yield ReadRows(raw.table.num_rows + len(lines), accepted, rejects)


def video_shard(tables: Iterable[pa.Table], config: FeatureConfig) -> VideoShard:
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
    kept = video_features(kept.drop([SOURCE_FILE, SOURCE_ROW]), state, config)
    return VideoShard(kept, rejects, next_video_state(kept, state))


def user_shard(tables: Iterable[pa.Table], config: FeatureConfig) -> UserPass:
    """The second pass over a shard: the users' features, the labels, the new state.

    Args:
        tables: All impressions of some users, out of `video_shard`, and, mixed with
            them, any user states (`state.USER_STATE_SCHEMA`).
        config: The feature configuration.
    """
    log, state = _sorted_out(tables, USER_STATE_SCHEMA)
    if log is not None:
        return user_features(log, state, config)
    if state is None:
        state = USER_STATE_SCHEMA.empty_table()
    return UserPass(
        feature_schema(config).empty_table(), check_state(state, USER_STATE_SCHEMA)
    )


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
