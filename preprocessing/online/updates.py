"""Impressions as they happen, user by user: the feature engine on what just came.

A run of the engine sees a log once it is complete. Online, an impression may come late,
twice, or before another of the same moment. So what is known of a user is a state and,
beside it, the last impressions themselves, *pending* until nothing earlier is waited
for any more: then the engine's own pass takes them into the state. Until then a late
impression finds its place, equal impressions are found, and impressions of one moment
do not see each other, exactly as in a log that was complete from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import plain
from preprocessing.checks.duplicates import drop_duplicates
from preprocessing.checks.validation import reject_table
from preprocessing.contract.column_names import (
    EVENT_TIME,
    SOURCE_FILE,
    SOURCE_ROW,
    USER_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import traced_schema
from preprocessing.features.passes import user_features, video_features
from preprocessing.online.features import user_features_at

# Sorts before the name of any source: of equal rows the pending one is kept.
_PENDING = ""


@dataclass(frozen=True)
class KnownUsers:
    """What is known of some users.

    Attributes:
        through_ms: Of each of them, by id: impressions that are not later are in the
            state, or not taken any more.
        state: By `state.USER_STATE_SCHEMA`; a user without impressions has no row.
        pending: By `contract.impression_schema`: distinct impressions of these users,
            each later than its user's `through_ms`.
    """

    through_ms: Mapping[str, int]
    state: pa.Table
    pending: pa.Table


class Update(NamedTuple):
    """What comes of new impressions.

    Attributes:
        users: What is known now.
        counted: By `contract.impression_schema`: the new impressions that count.
        rejects: By `contract.REJECT_SCHEMA`: the others, late or repeated.
    """

    users: KnownUsers
    counted: pa.Table
    rejects: pa.Table


def add_impressions(
    known: KnownUsers, new: pa.Table, allowed_lateness_ms: int, config: FeatureConfig
) -> Update:
    """Takes new impressions of known users.

    An impression may be up to `allowed_lateness_ms` earlier than its user's latest one
    so far. What is earlier is a reject, with the engine's reason.

    Args:
        known: Every user that occurs in `new` has a `through_ms` in it.
        new: By `contract.traced_schema`, out of `validation.validate`.
        allowed_lateness_ms: How long an impression stays pending.
        config: The feature configuration.
    """
    in_time, late = _without_late(known, new)
    distinct, repeated = drop_duplicates(
        pa.concat_tables([_traced(known.pending, config), in_time])
    )
    counted = distinct.filter(pc.not_equal(distinct[SOURCE_FILE], _PENDING))
    rows = distinct.drop([SOURCE_FILE, SOURCE_ROW])
    through_ms = _advanced(known.through_ms, rows, allowed_lateness_ms)
    in_state = _times(rows) <= _through(rows, through_ms)
    users = KnownUsers(
        through_ms,
        state_with(known.state, rows.filter(pa.array(in_state)), config),
        rows.filter(pa.array(~in_state)),
    )
    return Update(
        users,
        counted.drop([SOURCE_FILE, SOURCE_ROW]),
        pa.concat_tables([late, repeated]),
    )


def state_with(state: pa.Table, rows: pa.Table, config: FeatureConfig) -> pa.Table:
    """The users' state after further impressions, by the engine's pass.

    Args:
        state: By `state.USER_STATE_SCHEMA`.
        rows: By `contract.impression_schema`, distinct and later than the state.
        config: The feature configuration.
    """
    if not rows.num_rows:
        return state
    return user_features(video_features(rows, None, config), state, config).state


def known_user_features(
    user_id: str, time_ms: int, known: KnownUsers, config: FeatureConfig
) -> dict[str, Any]:
    """A user's features at a moment: `online_features.user_features_at` what is known.

    Args:
        user_id: The user, the only one in `known`.
        time_ms: When, UTC: only impressions strictly before it are seen.
        known: What is known of the user.
        config: The configuration that the model was trained with.

    Raises:
        ValueError: The time is not later than what the state has seen.
    """
    through_ms = known.through_ms[user_id]
    if time_ms <= through_ms:
        raise ValueError(
            f"`time_ms` must be later than the state's last impression, at {through_ms}"
            f". Received: {time_ms}"
        )
    earlier = known.pending.filter(pc.less(known.pending[EVENT_TIME], time_ms))
    state = state_with(known.state, earlier, config)
    return user_features_at(user_id, time_ms, state, config)


def rebased(
    known: KnownUsers, state: pa.Table, through_ms: int, config: FeatureConfig
) -> KnownUsers:
    """The same users on a newer state, of a log that holds what they did until then.

    A user whose own state has seen more than the newer one stays as is.

    Args:
        known: What was known of the users.
        state: By `state.USER_STATE_SCHEMA`, of any of these users.
        through_ms: Time of the newer state's latest impression.
        config: The feature configuration.
    """
    older = [user for user, through in known.through_ms.items() if through < through_ms]
    if not older:
        return known
    moved = pa.array(older, pa.string())
    kept = known.state.filter(pc.invert(_among(known.state, moved)))
    pending = known.pending
    seen = pc.and_(
        _among(pending, moved), pc.less_equal(pending[EVENT_TIME], through_ms)
    )
    return KnownUsers(
        {**known.through_ms, **dict.fromkeys(older, through_ms)},
        pa.concat_tables([kept, state.filter(_among(state, moved))]),
        pending.filter(pc.invert(seen)),
    )


def _among(table: pa.Table, users: pa.Array) -> pa.ChunkedArray:
    return pc.is_in(table[USER_ID], value_set=users)


def _without_late(known: KnownUsers, new: pa.Table) -> tuple[pa.Table, pa.Table]:
    through = _through(new, known.through_ms)
    late = _times(new) <= through
    rejected = new.filter(pa.array(late))
    reasons = [
        f"{EVENT_TIME} is not after {border}, until which the user's state is closed"
        for border in through[late]
    ]
    rows = rejected.drop([SOURCE_FILE, SOURCE_ROW]).to_pylist()
    source = rejected[SOURCE_FILE].to_pylist()
    return new.filter(pa.array(~late)), reject_table(rows, reasons, source)


def _traced(pending: pa.Table, config: FeatureConfig) -> pa.Table:
    rows = pending.num_rows
    columns = [*pending.columns, pa.array([_PENDING] * rows, pa.string())]
    columns.append(pa.array(np.arange(rows)))
    return pa.Table.from_arrays(columns, schema=traced_schema(config))


def _advanced(
    through_ms: Mapping[str, int], rows: pa.Table, allowed_lateness_ms: int
) -> dict[str, int]:
    """Where each user's state is closed, now that these impressions are known."""
    latest = rows.group_by(USER_ID).aggregate([(EVENT_TIME, "max")])
    users, times = latest[USER_ID], latest[f"{EVENT_TIME}_max"]
    closed = pc.subtract(times, allowed_lateness_ms).to_pylist()
    closes = dict(zip(users.to_pylist(), closed, strict=True))
    return {
        user: max(through, closes.get(user, through))
        for user, through in through_ms.items()
    }


def _through(rows: pa.Table, through_ms: Mapping[str, int]) -> np.ndarray:
    """`through_ms` of each row's user, int64 [rows]."""
    users = plain(rows[USER_ID]).to_pylist()
    return np.array([through_ms[user] for user in users], dtype=np.int64)


def _times(rows: pa.Table) -> np.ndarray:
    return plain(rows[EVENT_TIME]).to_numpy()
