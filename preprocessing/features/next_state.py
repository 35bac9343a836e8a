"""The state after a log, for the next day's run and for serving."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import make_lists, offsets_of
from preprocessing.contract.column_names import (
    EVENT_TIME,
    FIRST_LAUNCH,
    PRIOR_VIEWS,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.history import Events
from preprocessing.features.past import UserPast
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA


def next_video_state(table: pa.Table, state: pa.Table | None) -> pa.Table:
    """The state of every video of log or state.

    Args:
        table: Impressions; only `video_id` is read.
        state: By `state.schema.VIDEO_STATE_SCHEMA`, or None.

    Returns:
        By `state.schema.VIDEO_STATE_SCHEMA`.
    """
    if state is None:
        state = VIDEO_STATE_SCHEMA.empty_table()
    known, logged = to_array(state[VIDEO_ID]), to_array(table[VIDEO_ID])
    encoded = pa.concat_arrays([known, logged]).dictionary_encode()
    code = encoded.indices.to_numpy()
    impressions = np.bincount(code[len(known) :], minlength=len(encoded.dictionary))
    impressions[code[: len(known)]] += state["impressions"].to_numpy()
    return pa.Table.from_arrays(
        [encoded.dictionary, pa.array(impressions)], schema=VIDEO_STATE_SCHEMA
    )


def next_user_state(past: UserPast, config: FeatureConfig) -> pa.Table:
    """The state of every user of log or state.

    Args:
        past: Of `features.past.collect`.
        config: Gives `history_length`, the eligible impressions kept per user.

    Returns:
        By `state.schema.USER_STATE_SCHEMA`: the log's users in the order of
        `past.users`, then the others as they were.
    """
    users, events, state, user = past.users, past.events, past.state, past.user
    before = pc.index_in(users, value_set=to_array(state[USER_ID]))
    views = to_array(state["view_count"]).take(before).fill_null(0).to_numpy()
    listed = np.flatnonzero(_kept(events, past.eligible, config.history_length))
    offsets = _offsets(events.user[listed], len(users))
    index = pa.array(listed)

    def items(values: pa.Array) -> pa.ListArray:
        return make_lists(offsets, values)

    days = past.active.recent()
    after = pa.Table.from_arrays(
        [
            users,
            pa.array(views + np.bincount(user, minlength=len(users))),
            make_lists(_offsets(days.user, len(users)), pa.array(days.day)),
            items(events.video.take(index)),
            items(_empty_as_null(events.author.take(index))),
            items(_empty_as_null(events.tag.take(index))),
            items(pa.array(events.time_ms[listed])),
            items(events.long_view.take(index)),
            *(
                _last_known(past.table, name, user, to_array(state[name]).take(before))
                for name in (PRIOR_VIEWS, FIRST_LAUNCH)
            ),
        ],
        schema=USER_STATE_SCHEMA,
    )
    return pa.concat_tables([after, past.absent])


def _kept(events: Events, eligible: np.ndarray, length: int) -> np.ndarray:
    """Each user's last `length` eligible events and the last event, bool [events]."""
    last = np.diff(events.user, append=-1) != 0
    through = np.cumsum(eligible)
    newer = through[last][events.user] - through
    return (eligible & (newer < length)) | last


def _offsets(user: np.ndarray, users: int) -> np.ndarray:
    """Offsets of lists whose elements belong to ascending user codes [users + 1]."""
    return offsets_of(np.bincount(user, minlength=users))


def _empty_as_null(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _last_known(
    table: pa.Table, name: str, user: np.ndarray, before: pa.Array
) -> pa.Array:
    """Each user's last value that is not null; at equal times the greatest."""
    column = to_array(table[name])
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    values = column.take(pa.array(rows)).to_numpy()
    order = np.lexsort([values, table[EVENT_TIME].to_numpy()[rows], user[rows]])
    last = order[np.diff(user[rows][order], append=-1) != 0]
    found = np.zeros(len(before), dtype=np.int64)
    known = np.zeros(len(before), dtype=bool)
    found[user[rows[last]]] = values[last]
    known[user[rows[last]]] = True
    return pc.coalesce(pa.array(found, mask=~known), before)
