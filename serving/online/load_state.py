"""Puts a state that the feature engine wrote into a storage that is in use."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.online.updates import KnownUsers, rebase
from preprocessing.state.files import State, read_all, read_state
from preprocessing.state.schema import USER_STATE_SCHEMA, StateError
from serving.online.stored_users import THROUGH, Change, KnownRecords, state_counts

Progress = Callable[[int, int], None]

_ROWS = 256


def load_state(
    state: State, records: KnownRecords, config: FeatureConfig, progress: Progress
) -> int:
    """Loads users, then videos, then notes that the state is whole.

    Args:
        state: The state.
        records: What is known so far. A user who has seen more than the state stays;
            impressions after the state's end stay.
        config: The feature configuration.
        progress: Told how many users are done, and of how many.

    Returns:
        How many users the state has.

    Raises:
        StateError: The storage holds a newer state, or a file cannot be read.
        Unavailable: The storage does not answer.
    """
    through_ms = state.info.watermark_ms
    before_ms = int(records.storage.notes().get(THROUGH, -1))
    if through_ms < before_ms:
        raise StateError(
            f"the user store holds a newer state than this one through {through_ms}. "
            f"Received: a store through {before_ms}"
        )
    users = read_all(state.user_files, USER_STATE_SCHEMA)
    for start in range(0, users.num_rows, _ROWS):
        part = users.slice(start, _ROWS)
        _load_users(part, through_ms, records, config)
        progress(start + part.num_rows, users.num_rows)
    if through_ms > before_ms:  # else observed impressions are in the counts already
        _load_videos(state, records, before_ms)
    return int(users.num_rows)


def _load_users(
    state: pa.Table, through_ms: int, records: KnownRecords, config: FeatureConfig
) -> None:
    def update(known: KnownUsers, new: list[str]) -> Change:
        # Who is new to the storage starts from nothing, whatever was loaded before.
        nothing = {**known.watermark_ms, **dict.fromkeys(new, -1)}
        known = KnownUsers(nothing, known.state, known.pending)
        moved = rebase(known, state, through_ms, config)
        return Change(moved, {user: {} for user in moved.watermark_ms})

    for _ in records.change(state[USER_ID].to_pylist(), update):
        pass  # written; who was overtaken is done again


def _load_videos(state: State, records: KnownRecords, before_ms: int) -> None:
    counts = state_counts(state.info.watermark_ms)
    for file in state.video_files:
        for table in read_state(file):
            columns = (table[name].to_pylist() for name in (VIDEO_ID, "impressions"))
            impressions = dict(zip(*columns, strict=True))
            records.storage.set_video_impressions(impressions, counts)
    records.storage.set_notes({THROUGH: str(state.info.watermark_ms)})
    records.storage.drop_video_impressions(state_counts(before_ms))
