"""A state in memory: what a user store starts from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import pyarrow as pa

from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.online.rates import RateKey
from preprocessing.state.files import State, read_all, read_state
from preprocessing.state.rates import (
    KEY,
    OTHER,
    SUBJECT,
    rate_state_schema,
    select_rate_state,
)
from preprocessing.state.schema import (
    USER_STATE_SCHEMA,
    VIDEO_STATE_SCHEMA,
    check_state,
)


class StateSnapshot:
    """Looks users and videos up in a state.

    Args:
        state: The state; None for the state of an empty log.
        config: The feature configuration.

    Attributes:
        watermark_ms: Time of the state's latest impression, UTC; -1 without a state.

    Raises:
        StateError: A file cannot be read or breaks its schema.
    """

    def __init__(self, state: State | None, config: FeatureConfig):
        users = () if state is None else state.user_files
        self._users = check_state(
            read_all(users, USER_STATE_SCHEMA).combine_chunks(), USER_STATE_SCHEMA
        )
        ids = self._users[USER_ID].to_pylist()
        self._row = {user_id: row for row, user_id in enumerate(ids)}
        self._video_files = () if state is None else state.video_files
        self._impressions: dict[str, int] | None = None
        self._rate_files = () if state is None else state.rate_files
        self._config = config
        self.watermark_ms = -1 if state is None else state.info.watermark_ms

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
            self._impressions = impressions_by_video(table)
        return [self._impressions.get(video_id, 0) for video_id in video_ids]

    def rates(self, keys: Sequence[RateKey]) -> pa.Table:
        """The rows of those keys that the state has, by `rate_state_schema`."""
        table, places = self._rates
        rows = [places[key] for key in keys if key in places]
        return table.take(pa.array(rows, pa.int64()))

    @cached_property
    def _rates(self) -> tuple[pa.Table, dict[RateKey, int]]:
        """The state's rates, read from the files when first asked, and their rows."""
        parts = [rate_state_schema(self._config).empty_table()]
        for file in self._rate_files:
            parts += [select_rate_state(t, self._config) for t in read_state(file)]
        table = pa.concat_tables(parts).combine_chunks()
        keys = zip(*(table[n].to_pylist() for n in (SUBJECT, KEY, OTHER)), strict=True)
        return table, {RateKey(*key): row for row, key in enumerate(keys)}


def impressions_by_video(table: pa.Table) -> dict[str, int]:
    """Impressions by video id, of a table by `state.schema.VIDEO_STATE_SCHEMA`."""
    columns = (table[name].to_pylist() for name in (VIDEO_ID, "impressions"))
    return dict(zip(*columns, strict=True))
