"""Point-in-time features of one shard, each known strictly before its impression.

Two passes: `video_features` sees all rows of its videos, `user_features` all rows of
its users. Both are functions on Arrow tables that all engines, serving and tests share.
Impressions of equal time do not see each other.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import MS_PER_DAY, MS_PER_HOUR, local_day
from preprocessing.arrays.lists import list_lengths
from preprocessing.arrays.ranks import run_starts, text_ranks
from preprocessing.contract.column_names import (
    EVENT_TIME,
    FIRST_LAUNCH,
    PRIOR_VIEWS,
    UPLOAD,
    USER_GROUPS,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.columns import (
    USER_FIELDS,
    VIDEO_FIELDS,
    append_columns,
    feature_schema,
)
from preprocessing.features.history import Events, history_columns
from preprocessing.features.past import UserPast
from preprocessing.state.schema import VIDEO_STATE_SCHEMA, check_state


def video_features(
    table: pa.Table, state: pa.Table | None, config: FeatureConfig
) -> pa.Table:
    """Adds `video_age_hours`, `video_impressions` and `is_new_video`.

    Args:
        table: Impressions (`contract.schema.impression_schema`, further columns are
            kept): all of each video that occurs, in any order.
        state: By `state.schema.VIDEO_STATE_SCHEMA`, or None; videos that are not in
            `table` are ignored.
        config: Gives `new_video`.

    Returns:
        The table's rows in their order, with three more columns.

    Raises:
        StateError: The state breaks its schema.
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
    columns = [_hours(age_ms, known), earlier, is_new]
    return append_columns(table, VIDEO_FIELDS, columns)


def user_features(past: UserPast, config: FeatureConfig) -> pa.Table:
    """Adds the user's features; the result is the feature table.

    Args:
        past: Of `features.past.collect`, for impressions that have the columns of
            `video_features`.
        config: The feature configuration.

    Returns:
        By `features.columns.feature_schema`, ordered by user (as text), time and video.
    """
    table, events = past.table, past.events
    avc = _views_before(table, events, past.state)
    today = local_day(table[EVENT_TIME].to_numpy(), config.calendar)
    active_days = past.active.count_before(past.user, today)
    # A state of an earlier version may list older impressions than days.
    first_ms = events.time_ms[events.user_start[events.log_position]]
    came_before = past.active.any_before(past.user, today)
    came_before |= local_day(first_ms, config.calendar) < today
    since_launch_ms, launch_known = _since_launch(table)
    is_new = _is_new_user(avc, since_launch_ms, launch_known, config)
    columns = [
        avc,
        _hours(since_launch_ms, launch_known),
        active_days,
        is_new,
        _groups(is_new, came_before, active_days),
        *history_columns(events, past.eligible, config.history_length).values(),
    ]
    schema = feature_schema(config)
    result = append_columns(table, USER_FIELDS, columns)
    return result.select(schema.names).cast(schema)


def _views_before(table: pa.Table, events: Events, state: pa.Table) -> np.ndarray:
    """AVC, int64 [rows]."""
    rows = events.log_position
    tie, start = events.tie_start[rows], events.user_start[rows]
    unlisted = state["view_count"].to_numpy() - list_lengths(state["video_ids"])
    avc = tie - start + _looked_up(table[USER_ID], state[USER_ID], pa.array(unlisted))
    return avc + to_array(table[PRIOR_VIEWS]).fill_null(0).to_numpy()


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
    is_new: np.ndarray, came_before: np.ndarray, active_days: np.ndarray
) -> pa.Array:
    """The first that holds. Views of unknown days make nobody a returning user."""
    code = np.select(
        [
            is_new,
            came_before & (active_days == 0),
            (active_days == 1) | (active_days == 2),
        ],
        [0, 1, 2],
        default=3,
    )
    return pa.array(USER_GROUPS).take(pa.array(code))


def _looked_up(
    keys: pa.ChunkedArray, known: pa.ChunkedArray, values: pa.ChunkedArray | pa.Array
) -> np.ndarray:
    """The value of each key, 0 where it is not known."""
    index = pc.index_in(keys, value_set=to_array(known))
    return to_array(to_array(values).take(to_array(index))).fill_null(0).to_numpy()


def _nullable(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Values with 0 for null, and which are known."""
    values = to_array(column)
    known = values.is_valid().to_numpy(zero_copy_only=False)
    return values.fill_null(0).to_numpy(zero_copy_only=False), known.copy()


def _hours(duration_ms: np.ndarray, known: np.ndarray) -> pa.Array:
    return pa.array((duration_ms / MS_PER_HOUR).astype(np.float32), mask=~known)
