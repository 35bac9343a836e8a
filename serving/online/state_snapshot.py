"""A state in memory: what a user store starts from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.state.files import State, read_all
from preprocessing.state.schema import (
    USER_STATE_SCHEMA,
    VIDEO_STATE_SCHEMA,
    check_state,
)


class BaseState:
    """Looks users and videos up in a state.

    Args:
        state: The state; None is that of an empty log.

    Raises:
        StateError: A file cannot be read or breaks its schema.
    """

    def __init__(self, state: State | None):
        users = () if state is None else state.user_files
        self._users = check_state(
            read_all(users, USER_STATE_SCHEMA).combine_chunks(), USER_STATE_SCHEMA
        )
        ids = self._users[USER_ID].to_pylist()
        self._row = {user_id: row for row, user_id in enumerate(ids)}
        self._video_files = () if state is None else state.video_files
        self._impressions: dict[str, int] | None = None
        self.through_ms = -1 if state is None else state.info.watermark_ms

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._row

    def user_ids(self) -> Iterator[str]:
        """Every user."""
        return iter(self._row)

    def users(self, user_ids: Iterable[str]) -> pa.Table:
        """The rows of those users that the state has."""
        rows = [self._row[user_id] for user_id in user_ids if user_id in self._row]
        if len(rows) == 1:
            return self._users.slice(rows[0], 1)  # hundreds of times faster
        return self._users.take(pa.array(rows, pa.int64()))

    def video_impressions(self, video_ids: Sequence[str]) -> list[int]:
        """Impressions so far of each video; read from the files when first asked."""
        if self._impressions is None:
            table = read_all(self._video_files, VIDEO_STATE_SCHEMA)
            check_state(table, VIDEO_STATE_SCHEMA)
            columns = (table[name].to_pylist() for name in (VIDEO_ID, "impressions"))
            self._impressions = dict(zip(*columns, strict=True))
        return [self._impressions.get(video_id, 0) for video_id in video_ids]
