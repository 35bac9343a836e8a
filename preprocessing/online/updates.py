"""Impressions as they happen, user by user: the feature engine on what just came.

A run of the engine sees a log once it is complete. Online, an impression may come late,
twice, or before another of the same moment. So what is known of a user is a state and,
beside it, the last impressions themselves. They are *pending* until no earlier
impression is accepted any more; then the engine's own pass takes them into the state.
Until then a late impression finds its place, equal impressions are found, and
impressions of one moment do not see each other, exactly as in a complete log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.checks.duplicates import drop_duplicates
from preprocessing.checks.rejects import reject_impressions
from preprocessing.contract.column_names import (
    EVENT_TIME,
    SOURCE_FILE,
    SOURCE_ROW,
    USER_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import traced_schema
from preprocessing.features.next_state import next_user_state
from preprocessing.features.past import collect
from preprocessing.online.features import compute_user_features_at

# Sorts before the name of any source: of equal rows the pending one is kept.
_PENDING = ""


@dataclass(frozen=True)
class KnownUsers:
    """What is known of some users.

    Attributes:
        watermark_ms: A time per user, by id, UTC: impressions at or before it are in
            the state already, or are rejected as late.
        state: By `state.schema.USER_STATE_SCHEMA`; a user without impressions has no
            row.
        pending: By `contract.schema.impression_schema`: distinct impressions of these
            users, each later than its user's watermark.
    """

    watermark_ms: Mapping[str, int]
    state: pa.Table
    pending: pa.Table


class UpdateResult(NamedTuple):
    """What new impressions lead to.

    Attributes:
        users: What is known now.
        counted: By `contract.schema.impression_schema`: the new impressions that count.
        rejects: By `checks.rejects.REJECT_SCHEMA`: the others, late or repeated.
    """

    users: KnownUsers
    counted: pa.Table
    rejects: pa.Table


def add_impressions(
    known: KnownUsers, new: pa.Table, allowed_lateness_ms: int, config: FeatureConfig
) -> UpdateResult:
    """Takes new impressions of known users.

    An impression may be up to `allowed_lateness_ms` earlier than its user's latest one
    so far. Earlier ones are rejected.

    Args:
        known: What is known of the users; each user of `new` has a watermark in it.
        new: By `contract.schema.traced_schema`, from `checks.validation.validate`.
        allowed_lateness_ms: How long an impression stays pending.
        config: The feature configuration.
    """
    in_time, late = _without_late(known, new)
    distinct, repeated = drop_duplicates(
        pa.concat_tables([_traced(known.pending, config), in_time])
    )
    counted = distinct.filter(pc.not_equal(distinct[SOURCE_FILE], _PENDING))
    rows = distinct.drop([SOURCE_FILE, SOURCE_ROW])
    watermark_ms = _advanced(known.watermark_ms, rows, allowed_lateness_ms)
    in_state = _times(rows) <= _watermarks(rows, watermark_ms)
    users = KnownUsers(
        watermark_ms,
        advance_state(known.state, rows.filter(pa.array(in_state)), config),
        rows.filter(pa.array(~in_state)),
    )
    return UpdateResult(
        users,
        counted.drop([SOURCE_FILE, SOURCE_ROW]),
        pa.concat_tables([late, repeated]),
    )


def advance_state(state: pa.Table, rows: pa.Table, config: FeatureConfig) -> pa.Table:
    """The users' state after further impressions, by the engine's pass.

    Args:
        state: By `state.schema.USER_STATE_SCHEMA`.
        rows: By `contract.schema.impression_schema`, distinct and later than the state.
        config: The feature configuration.
    """
    if not rows.num_rows:
        return state
    return next_user_state(collect(rows, state, config), config)


def compute_features_of_known(
    user_id: str, time_ms: int, known: KnownUsers, config: FeatureConfig
) -> dict[str, Any]:
    """A user's features at a moment: `compute_user_features_at` on what is known.

    Args:
        user_id: The user, the only one in `known`.
        time_ms: When, UTC: only impressions strictly before it are seen.
        known: What is known of the user.
        config: The configuration that the model was trained with.

    Raises:
        ValueError: The time is not later than the user's watermark.
    """
    watermark_ms = known.watermark_ms[user_id]
    if time_ms <= watermark_ms:
        raise ValueError(
            "`time_ms` must be later than the state's last impression, at "
            f"{watermark_ms}. Received: {time_ms}"
        )
    earlier = known.pending.filter(pc.less(known.pending[EVENT_TIME], time_ms))
    state = advance_state(known.state, earlier, config)
    return compute_user_features_at(user_id, time_ms, state, config)


def rebase(
    known: KnownUsers, state: pa.Table, watermark_ms: int, config: FeatureConfig
) -> KnownUsers:
    """The same users on a newer state, of a log that holds what they did until then.

    A user whose own watermark is later than the newer state's stays as is.

    Args:
        known: What was known of the users.
        state: By `state.schema.USER_STATE_SCHEMA`, of any of these users.
        watermark_ms: Time of the newer state's latest impression, UTC.
        config: The feature configuration.
    """
    older = [user for user, own in known.watermark_ms.items() if own < watermark_ms]
    if not older:
        return known
    moved = pa.array(older, pa.string())
    kept = known.state.filter(pc.invert(_among(known.state, moved)))
    pending = known.pending
    seen = pc.and_(
        _among(pending, moved), pc.less_equal(pending[EVENT_TIME], watermark_ms)
    )
    return KnownUsers(
        {**known.watermark_ms, **dict.fromkeys(older, watermark_ms)},
        pa.concat_tables([kept, state.filter(_among(state, moved))]),
        pending.filter(pc.invert(seen)),
    )


def _among(table: pa.Table, users: pa.Array) -> pa.ChunkedArray:
    return pc.is_in(table[USER_ID], value_set=users)


def _without_late(known: KnownUsers, new: pa.Table) -> tuple[pa.Table, pa.Table]:
    watermarks = _watermarks(new, known.watermark_ms)
    late = _times(new) <= watermarks
    reasons = [
        f"{EVENT_TIME} is not after {border}, until which the user's state is closed"
        for border in watermarks[late]
    ]
    rejects = reject_impressions(new.filter(pa.array(late)), reasons)
    return new.filter(pa.array(~late)), rejects


def _traced(pending: pa.Table, config: FeatureConfig) -> pa.Table:
    rows = pending.num_rows
    columns = [*pending.columns, pa.array([_PENDING] * rows, pa.string())]
    columns.append(pa.array(np.arange(rows)))
    return pa.Table.from_arrays(columns, schema=traced_schema(config))


def _advanced(
    watermark_ms: Mapping[str, int], rows: pa.Table, allowed_lateness_ms: int
) -> dict[str, int]:
    """Each user's watermark, now that these impressions are known."""
    latest = rows.group_by(USER_ID).aggregate([(EVENT_TIME, "max")])
    users, times = latest[USER_ID], latest[f"{EVENT_TIME}_max"]
    closed = pc.subtract(times, allowed_lateness_ms).to_pylist()
    closes = dict(zip(users.to_pylist(), closed, strict=True))
    return {user: max(own, closes.get(user, own)) for user, own in watermark_ms.items()}


def _watermarks(rows: pa.Table, watermark_ms: Mapping[str, int]) -> np.ndarray:
    """The watermark of each row's user, int64 [rows]."""
    users = to_array(rows[USER_ID]).to_pylist()
    return np.array([watermark_ms[user] for user in users], dtype=np.int64)


def _times(rows: pa.Table) -> np.ndarray:
    return to_array(rows[EVENT_TIME]).to_numpy()
