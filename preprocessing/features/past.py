"""What the users of a log did, in the log and before it: collected once, used twice.

`features.passes.user_features` and `features.next_state.next_user_state` both read it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.ranks import text_ranks
from preprocessing.contract.column_names import EVENT_TIME, USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.activity import ActiveDays, collect_active_days
from preprocessing.features.history import Events, collect_events, eligible_events
from preprocessing.features.labels import add_labels
from preprocessing.state.schema import USER_STATE_SCHEMA, check_state


class UserPast(NamedTuple):
    """The users of a log and their impressions.

    Attributes:
        table: The log's impressions with labels, ordered by user (as text), time and
            video.
        users: Each user of the log once; a user's index is the user's code.
        user: User code of each row of `table`, int64 [rows].
        state: By `state.schema.USER_STATE_SCHEMA`, only the log's users.
        absent: By the same schema, the users that are not in the log.
        events: Impressions of log and state, of the log's users.
        eligible: Which events a history may hold, bool [events].
        active: The active days of the log's users, in log and state.
    """

    table: pa.Table
    users: pa.Array
    user: np.ndarray
    state: pa.Table
    absent: pa.Table
    events: Events
    eligible: np.ndarray
    active: ActiveDays


def collect(table: pa.Table, state: pa.Table | None, config: FeatureConfig) -> UserPast:
    """Brings a log and the state before it together.

    Args:
        table: Impressions (`contract.schema.impression_schema`, further columns are
            kept): all of each user that occurs, in any order.
        state: By `state.schema.USER_STATE_SCHEMA`, or None.
        config: The feature configuration.

    Raises:
        StateError: The state breaks its schema.
    """
    table = add_labels(_by_user_and_time(table), config)
    if state is None:
        state = USER_STATE_SCHEMA.empty_table()
    check_state(state, USER_STATE_SCHEMA)
    users = to_array(pc.unique(to_array(table[USER_ID])))
    in_log = pc.is_in(state[USER_ID], value_set=users)
    absent, state = state.filter(pc.invert(in_log)), state.filter(in_log)
    user = _codes(table[USER_ID], users)
    state_user = _codes(state[USER_ID], users)
    events = collect_events(table, user, state, state_user)
    return UserPast(
        table=table,
        users=users,
        user=user,
        state=state,
        absent=absent,
        events=events,
        eligible=eligible_events(events, config.history_of),
        active=collect_active_days(events, state, state_user, config.calendar),
    )


def _by_user_and_time(table: pa.Table) -> pa.Table:
    """The rows in the order of their histories, which are then built in one sweep."""
    keys = [text_ranks(table[name]) for name in (VIDEO_ID, USER_ID)]
    order = np.lexsort([keys[0], table[EVENT_TIME].to_numpy(), keys[1]])
    return table.take(pa.array(order))


def _codes(keys: pa.ChunkedArray, distinct: pa.Array) -> np.ndarray:
    """The index of each key among the distinct ones, int64 [rows]."""
    return pc.index_in(keys, value_set=distinct).to_numpy().astype(np.int64)
