"""The state after a log: what a run hands to the next day's, and to serving."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import plain
from preprocessing.contract.column_names import (
    EVENT_TIME,
    FIRST_LAUNCH,
    PRIOR_VIEWS,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.features.activity import ActiveDays
from preprocessing.features.history import Events
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA


def next_video_state(table: pa.Table, state: pa.Table | None) -> pa.Table:
    """The impressions so far of every video of log or state.

    Args:
        table: Impressions; only `video_id` is read.
        state: By `state.VIDEO_STATE_SCHEMA`, or None.
    """
    if state is None:
        state = VIDEO_STATE_SCHEMA.empty_table()
    known, logged = plain(state[VIDEO_ID]), plain(table[VIDEO_ID])
    encoded = pa.concat_arrays([known, logged]).dictionary_encode()
    code = encoded.indices.to_numpy()
    impressions = np.bincount(code[len(known) :], minlength=len(encoded.dictionary))
    impressions[code[: len(known)]] += state["impressions"].to_numpy()
    return pa.Table.from_arrays(
        [encoded.dictionary, pa.array(impressions)], schema=VIDEO_STATE_SCHEMA
    )


def next_user_state(
    table: pa.Table,
    users: pa.Array,
    events: Events,
    eligible: np.ndarray,
    active: ActiveDays,
    state: pa.Table,
    history_length: int,
) -> pa.Table:
    """The state of the users that occur in a log.

    Args:
        table: Impressions, ordered by user and time.
        users: The user of each code; each has a row in `table`.
        events: Impressions of log and state.
        eligible: Which of them a history may hold, bool [events].
        active: Active days of log and state.
        state: By `state.USER_STATE_SCHEMA`, of these users alone.
        history_length: Eligible impressions that are kept of each user.

    Returns:
        By `state.USER_STATE_SCHEMA`, one row a user, in the order of `users`.
    """
    row_user = plain(pc.index_in(table[USER_ID], value_set=users))
    before = pc.index_in(users, value_set=plain(state[USER_ID]))
    views = plain(state["view_count"]).take(before).fill_null(0).to_numpy()
    user = row_user.to_numpy().astype(np.int64)
    listed = np.flatnonzero(_kept(events, eligible, history_length))
    ends = _ends(events.user[listed], len(users))
    index = pa.array(listed)

    def items(values: pa.Array) -> pa.ListArray:
        return pa.ListArray.from_arrays(ends, values)

    days = active.recent()
    return pa.Table.from_arrays(
        [
            users,
            pa.array(views + np.bincount(user, minlength=len(users))),
            pa.ListArray.from_arrays(_ends(days.user, len(users)), pa.array(days.day)),
            items(events.video.take(index)),
            items(_empty_as_null(events.author.take(index))),
            items(_empty_as_null(events.tag.take(index))),
            items(pa.array(events.time_ms[listed])),
            items(events.long_view.take(index)),
            *(
                _last_known(table, name, user, plain(state[name]).take(before))
                for name in (PRIOR_VIEWS, FIRST_LAUNCH)
            ),
        ],
        schema=USER_STATE_SCHEMA,
    )


def _kept(events: Events, eligible: np.ndarray, length: int) -> np.ndarray:
    """Each user's last `length` eligible events and the last event, bool [events]."""
    last = np.diff(events.user, append=-1) != 0
    through = np.cumsum(eligible)
    newer = through[last][events.user] - through
    return (eligible & (newer < length)) | last


def _ends(user: np.ndarray, users: int) -> pa.Array:
    """Offsets of lists whose elements belong to ascending user codes."""
    counts = np.bincount(user, minlength=users)
    return pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))


def _empty_as_null(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _last_known(
    table: pa.Table, name: str, user: np.ndarray, before: pa.Array
) -> pa.Array:
    """Each user's last value that is not null; of one time the greatest."""
    column = plain(table[name])
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    values = column.take(pa.array(rows)).to_numpy()
    order = np.lexsort([values, table[EVENT_TIME].to_numpy()[rows], user[rows]])
    last = order[np.diff(user[rows][order], append=-1) != 0]
    found = np.zeros(len(before), dtype=np.int64)
    known = np.zeros(len(before), dtype=bool)
    found[user[rows[last]]] = values[last]
    known[user[rows[last]]] = True
    return pc.coalesce(pa.array(found, mask=~known), before)
