"""A shard of the feature table: all impressions of some users, ordered by user."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import Calendar, local_day
from preprocessing.contract.column_names import (
    EVENT_TIME,
    UNKNOWN_LABEL,
    USER_GROUPS,
    USER_ID,
)


class UserBlock:
    """Columns of a shard as arrays, each made once.

    Args:
        table: By `features.columns.feature_schema`, ordered by user and time.
        calendar: Where days begin.
    """

    def __init__(self, table: pa.Table, calendar: Calendar):
        self.table = table
        self._calendar = calendar

    def __len__(self) -> int:
        return self.table.num_rows

    @cached_property
    def _encoded_users(self) -> pa.DictionaryArray:
        return to_array(self.table[USER_ID]).dictionary_encode()

    @property
    def user_ids(self) -> pa.Array:
        """Each user's id [users]."""
        return self._encoded_users.dictionary

    @cached_property
    def user(self) -> np.ndarray:
        """Of each row its user's place in `user_ids`, ascending, int64 [rows]."""
        return self._encoded_users.indices.to_numpy().astype(np.int64)

    @cached_property
    def rows_of_users(self) -> np.ndarray:
        """Impressions of each user, int64 [users]."""
        return np.bincount(self.user, minlength=len(self.user_ids))

    @cached_property
    def first_rows(self) -> np.ndarray:
        """Each user's first row, int64 [users]."""
        return np.concatenate([[0], np.cumsum(self.rows_of_users)[:-1]]).astype(int)

    @cached_property
    def time_ms(self) -> np.ndarray:
        """UTC milliseconds since 1970, int64 [rows]."""
        return self.table[EVENT_TIME].to_numpy()

    @cached_property
    def day(self) -> np.ndarray:
        """Days since 1970 in the configuration's calendar, int64 [rows]."""
        return local_day(self.time_ms, self._calendar)

    @cached_property
    def group(self) -> np.ndarray:
        """The user group as a place in `USER_GROUPS`, int64 [rows]."""
        places = pc.index_in(self.table["user_group"], value_set=pa.array(USER_GROUPS))
        return places.to_numpy().astype(np.int64)

    def label(self, name: str) -> np.ndarray:
        """A label, int64 [rows]; `UNKNOWN_LABEL` where it is not known."""
        return pc.fill_null(self.table[name], UNKNOWN_LABEL).to_numpy().astype(np.int64)

    def known(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """A column of numbers, 0 where null, and which are known; both [rows]."""
        column = to_array(self.table[name])
        known = column.is_valid().to_numpy(zero_copy_only=False)
        return column.fill_null(0).to_numpy(zero_copy_only=False), known
