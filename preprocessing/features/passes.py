"""Point-in-time features of one shard, each known strictly before its impression.

Two passes: `video_features` sees all rows of its videos, `user_features` all rows of
its users. Both are plain functions on Arrow tables, used alike by Beam, the in-process
engine and tests. Impressions of equal time do not see each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import plain
from preprocessing.arrays.days import MS_PER_DAY, MS_PER_HOUR, local_day
from preprocessing.arrays.ranks import run_starts, text_ranks
from preprocessing.contract.column_names import (
    DURATION,
    EVENT_TIME,
    FIRST_LAUNCH,
    PLAY_TIME,
    PRIOR_VIEWS,
    UPLOAD,
    USER_GROUPS,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig, LabelConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.features.activity import collect_active_days
from preprocessing.features.history import (
    HISTORY_TEXTS,
    Events,
    collect_events,
    eligible_events,
    history_columns,
)
from preprocessing.features.next_state import next_user_state
from preprocessing.state.schema import (
    USER_STATE_SCHEMA,
    VIDEO_STATE_SCHEMA,
    check_state,
    list_lengths,
)

RETURNING_AFTER_MS = 7 * MS_PER_DAY


class UserPass(NamedTuple):
    """What comes of the users of a log.

    Attributes:
        features: By `feature_schema`, ordered by user (as text), time and video.
        state: By `state.USER_STATE_SCHEMA`: every user of log or state, after the log.
    """

    features: pa.Table
    state: pa.Table


def feature_schema(config: FeatureConfig) -> pa.Schema:
    """Schema of the feature table: contract, features, labels, in this order.

    A label read from the column of its own name is that column, not a second one.
    Scalars that every impression has are not nullable. The texts of histories are
    dictionary-encoded in memory; in a Parquet file they are texts as any other.
    """
    fields = list(impression_schema(config))
    fields += _VIDEO_FIELDS + _USER_FIELDS
    names = {field.name for field in fields}
    fields += [
        pa.field(label, pa.int64(), nullable=False)
        for label in config.labels
        if label not in names
    ]
    return pa.schema(fields)


def video_features(
    table: pa.Table, state: pa.Table | None, config: FeatureConfig
) -> pa.Table:
    """Adds `video_age_hours`, `video_impressions` and `is_new_video`.

    Args:
        table: Impressions (`contract.impression_schema`, further columns are kept),
            all of each video that occurs, in any order.
        state: By `state.VIDEO_STATE_SCHEMA`, or None; other videos are ignored.
        config: Gives `new_video`.

    Returns:
        The table's rows in their order, with three more columns.
    """
    time_ms = table[EVENT_TIME].to_numpy()
    video = text_ranks(table[VIDEO_ID])
    order = np.lexsort([time_ms, video])
    earlier = np.empty(len(order), dtype=np.int64)
    by_video = run_starts(video[order])
    earlier[order] = run_starts(video[order], time_ms[order]) - by_video
    if state is not None and state.num_rows:
        check_state(state, VIDEO_STATE_SCHEMA)
        earlier += _looked_up(table[VIDEO_ID], state[VIDEO_ID], state["impressions"])

    upload_ms, known = _nullable(table[UPLOAD])
    age_ms = time_ms - upload_ms
    known &= age_ms >= 0
    young = known & (age_ms <= config.new_video.max_days * MS_PER_DAY)
    is_new = young & (earlier < config.new_video.max_impressions)
    return _append(table, _VIDEO_FIELDS, [_hours(age_ms, known), earlier, is_new])


def user_features(
    table: pa.Table, state: pa.Table | None, config: FeatureConfig
) -> UserPass:
    """Adds the user's features and the labels; the result is the feature table.

    Args:
        table: Of `video_features`, all impressions of each user that occurs, in any
            order.
        state: By `state.USER_STATE_SCHEMA`, or None.
        config: The feature configuration.
    """
    table = _add_labels(_by_user_and_time(table), config)
    if state is None:
        state = USER_STATE_SCHEMA.empty_table()
    check_state(state, USER_STATE_SCHEMA)
    users = plain(pc.unique(plain(table[USER_ID])))
    in_log = pc.is_in(state[USER_ID], value_set=users)
    absent, state = state.filter(pc.invert(in_log)), state.filter(in_log)
    user = _codes(table[USER_ID], users)
    state_user = _codes(state[USER_ID], users)
    events = collect_events(table, user, state, state_user)
    eligible = eligible_events(events, config.history_of)

    time_ms = table[EVENT_TIME].to_numpy()
    avc, since_last_ms = _views_before(table, events, state)
    offset = config.utc_offset_hours
    active = collect_active_days(events, state, state_user, offset)
    active_days = active.count_before(user, local_day(time_ms, offset))
    since_launch_ms, launch_known = _since_launch(table)
    is_new = _is_new_user(avc, since_launch_ms, launch_known, config)
    columns = [
        avc,
        _hours(since_launch_ms, launch_known),
        active_days,
        is_new,
        _groups(is_new, since_last_ms, active_days),
        *history_columns(events, eligible, config.history_length).values(),
    ]
    result = _append(table, _USER_FIELDS, columns)
    schema = feature_schema(config)
    after = next_user_state(
        table, users, events, eligible, active, state, config.history_length
    )
    return UserPass(
        result.select(schema.names).cast(schema), pa.concat_tables([after, absent])
    )


_VIDEO_FIELDS = [
    pa.field("video_age_hours", pa.float32()),
    pa.field("video_impressions", pa.int64(), nullable=False),
    pa.field("is_new_video", pa.int64(), nullable=False),
]
_USER_FIELDS = [
    pa.field("avc", pa.int64(), nullable=False),
    pa.field("hours_since_first_launch", pa.float32()),
    pa.field("active_days_7", pa.int64(), nullable=False),
    pa.field("is_new_user", pa.int64(), nullable=False),
    pa.field("user_group", pa.string(), nullable=False),
    pa.field("history_video_ids", HISTORY_TEXTS, nullable=False),
    pa.field("history_author_ids", HISTORY_TEXTS, nullable=False),
    pa.field("history_tags", HISTORY_TEXTS, nullable=False),
    pa.field("history_gap_ms", pa.list_(pa.int64()), nullable=False),
]


def _by_user_and_time(table: pa.Table) -> pa.Table:
    """The rows in the order of their histories, which are then built in one sweep."""
    keys = [text_ranks(table[name]) for name in (VIDEO_ID, USER_ID)]
    order = np.lexsort([keys[0], table[EVENT_TIME].to_numpy(), keys[1]])
    return table.take(pa.array(order))


def _views_before(
    table: pa.Table, events: Events, state: pa.Table
) -> tuple[np.ndarray, np.ndarray]:
    """AVC, and the time since the last earlier event (-1: none), int64 [rows]."""
    rows = events.log_position
    tie, start = events.tie_start[rows], events.user_start[rows]
    unlisted = state["view_count"].to_numpy() - list_lengths(state["video_ids"])
    avc = tie - start + _looked_up(table[USER_ID], state[USER_ID], pa.array(unlisted))
    avc += plain(table[PRIOR_VIEWS]).fill_null(0).to_numpy()
    last_ms = events.time_ms[np.maximum(tie - 1, 0)]
    since_last = np.where(tie > start, events.time_ms[rows] - last_ms, -1)
    return avc, since_last


def _since_launch(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds since the user's first launch, and where that is known."""
    launch_ms, known = _nullable(table[FIRST_LAUNCH])
    return table[EVENT_TIME].to_numpy() - launch_ms, known


def _is_new_user(
    avc: np.ndarray,
    since_launch_ms: np.ndarray,
    launch_known: np.ndarray,
    config: FeatureConfig,
) -> np.ndarray:
    if config.new_user.max_avc is not None:
        return avc <= config.new_user.max_avc
    limit_ms = (config.new_user.max_hours or 0) * MS_PER_HOUR
    return launch_known & (since_launch_ms <= limit_ms)


def _groups(
    is_new: np.ndarray, since_last_ms: np.ndarray, active_days: np.ndarray
) -> pa.Array:
    code = np.select(
        [
            is_new,
            since_last_ms >= RETURNING_AFTER_MS,
            (active_days == 1) | (active_days == 2),
        ],
        [0, 1, 2],
        default=3,
    )
    return pa.array(USER_GROUPS).take(pa.array(code))


def _add_labels(table: pa.Table, config: FeatureConfig) -> pa.Table:
    for name, label in config.labels.items():
        if name not in table.column_names:
            field = pa.field(name, pa.int64(), nullable=False)
            table = table.append_column(field, _label(table, label))
    return table


def _label(table: pa.Table, label: LabelConfig) -> pa.ChunkedArray | pa.Array:
    if label.at_least is not None:
        graded = table[label.column].to_numpy() >= label.at_least
        return pa.array(graded.astype(np.int64))
    if label.column is not None:
        return table[label.column]
    play_ms, duration_ms = table[PLAY_TIME].to_numpy(), table[DURATION].to_numpy()
    if label.rule == "finish_view":
        return pa.array((play_ms >= duration_ms).astype(np.int64))
    viewed = play_ms * 100.0 >= duration_ms * label.percent
    return pa.array(viewed.astype(np.int64))


def _looked_up(
    keys: pa.ChunkedArray, known: pa.ChunkedArray, values: pa.ChunkedArray | pa.Array
) -> np.ndarray:
    """The value of each key, 0 where it is not known."""
    index = pc.index_in(keys, value_set=plain(known))
    return plain(plain(values).take(plain(index))).fill_null(0).to_numpy()


def _codes(keys: pa.ChunkedArray, distinct: pa.Array) -> np.ndarray:
    """The place of each key among the distinct ones, int64 [rows]."""
    return pc.index_in(keys, value_set=distinct).to_numpy().astype(np.int64)


def _nullable(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Values with 0 for null, and which are known."""
    values = plain(column)
    known = values.is_valid().to_numpy(zero_copy_only=False)
    return values.fill_null(0).to_numpy(zero_copy_only=False), known.copy()


def _hours(duration_ms: np.ndarray, known: np.ndarray) -> pa.Array:
    return pa.array((duration_ms / MS_PER_HOUR).astype(np.float32), mask=~known)


def _append(table: pa.Table, fields: list[pa.Field], columns: list) -> pa.Table:
    for field, column in zip(fields, columns, strict=True):
        if isinstance(column, np.ndarray):
            column = pa.array(column.astype(np.int64))
        table = table.append_column(field, column)
    return table
