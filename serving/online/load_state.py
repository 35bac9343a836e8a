"""Loads a state that the feature engine wrote into a storage that is in use."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from preprocessing.contract.column_names import USER_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.online.updates import KnownUsers, rebase
from preprocessing.state.files import State, read_all, read_state
from preprocessing.state.rates import select_rate_state
from preprocessing.state.schema import USER_STATE_SCHEMA, StateError
from serving.online.rate_counts import RateCounts
from serving.online.state_snapshot import impressions_by_video
from serving.online.stored_users import (
    WATERMARK_NOTE,
    RecordChange,
    StoredUsers,
    state_counts,
)

Progress = Callable[[int, int], None]

_ROWS = 256


def load_state(
    state: State,
    stored: StoredUsers,
    rates: RateCounts,
    config: FeatureConfig,
    progress: Progress,
) -> int:
    """Loads users, then counts, then notes that the state is whole.

    Args:
        state: The state.
        stored: What is known so far. A user whose record reaches beyond the watermark
            stays as is; impressions after the watermark stay.
        rates: The counts for rates.
        config: The feature configuration.
        progress: Called with the number of users done and the number of all.

    Returns:
        How many users the state has.

    Raises:
        StateError: The storage holds a newer state, or a file cannot be read.
        Unavailable: The storage does not answer, or others keep writing a user.
    """
    watermark_ms = state.info.watermark_ms
    previous_ms = int(stored.storage.notes().get(WATERMARK_NOTE, -1))
    if watermark_ms < previous_ms:
        raise StateError(
            f"the user store holds a newer state than this one through {watermark_ms}. "
            f"Received: a store through {previous_ms}"
        )
    users = read_all(state.user_files, USER_STATE_SCHEMA)
    for start in range(0, users.num_rows, _ROWS):
        part = users.slice(start, _ROWS)
        _load_users(part, watermark_ms, stored, config)
        progress(start + part.num_rows, users.num_rows)
    # Else observed impressions are in the counts already.
    if watermark_ms > previous_ms:
        if config.rates is not None:
            tables = (table for file in state.rate_files for table in read_state(file))
            known = (select_rate_state(table, config) for table in tables)
            rates.load(known, watermark_ms)
        _load_videos(state, stored, previous_ms)
        if config.rates is not None:
            rates.forget(previous_ms, watermark_ms)
    return int(users.num_rows)


def _load_users(
    state: pa.Table, watermark_ms: int, stored: StoredUsers, config: FeatureConfig
) -> None:
    def update(known: KnownUsers, new: list[str]) -> RecordChange:
        # A user who is new to the storage starts from nothing, whatever was loaded.
        nothing = {**known.watermark_ms, **dict.fromkeys(new, -1)}
        known = KnownUsers(nothing, known.state, known.pending)
        moved = rebase(known, state, watermark_ms, config)
        return RecordChange(moved, {user: {} for user in moved.watermark_ms})

    for _ in stored.change(state[USER_ID].to_pylist(), update):
        pass  # written; users whom another writer changed meanwhile come again


def _load_videos(state: State, stored: StoredUsers, previous_ms: int) -> None:
    counts = state_counts(state.info.watermark_ms)
    for file in state.video_files:
        for table in read_state(file):
            impressions = impressions_by_video(table)
            stored.storage.set_video_impressions(impressions, counts)
    stored.storage.set_notes({WATERMARK_NOTE: str(state.info.watermark_ms)})
    stored.storage.drop_video_impressions(state_counts(previous_ms))
