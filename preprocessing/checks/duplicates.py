"""Duplicate rows: of those equal in all contract columns the first is kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import plain
from preprocessing.arrays.ranks import run_starts, text_ranks
from preprocessing.checks.validation import reject_table
from preprocessing.contract.column_names import (
    EVENT_TIME,
    SOURCE_FILE,
    SOURCE_ROW,
    USER_ID,
    VIDEO_ID,
)

REASON = "duplicate of another row"


class Deduplicated(NamedTuple):
    """Rows kept, and rejects (`contract.REJECT_SCHEMA`)."""

    kept: pa.Table
    rejects: pa.Table


def drop_duplicates(table: pa.Table) -> Deduplicated:
    """Keeps the first of equal rows, by file name and position in the file.

    Rows are equal if all columns are but those that say where a row came from: the
    contract's columns, label columns and declared features.

    Args:
        table: By `contract.traced_schema`; all rows of the videos that it has any of.
    """
    repeated = np.zeros(table.num_rows, dtype=bool)
    suspects = _suspects(table)
    if len(suspects):
        repeated[suspects[_repeats(table.take(pa.array(suspects)))]] = True
    dropped = table.filter(pa.array(repeated))
    rows = dropped.drop([SOURCE_FILE, SOURCE_ROW]).to_pylist()
    source = dropped[SOURCE_FILE].to_pylist()
    return Deduplicated(
        table.filter(pa.array(~repeated)),
        reject_table(rows, [REASON] * len(rows), source),
    )


def _suspects(table: pa.Table) -> np.ndarray:
    """Rows that share user, video and time with another row: few, as a rule."""
    keys = (
        text_ranks(table[USER_ID]),
        text_ranks(table[VIDEO_ID]),
        table[EVENT_TIME].to_numpy(),
    )
    order = np.lexsort(keys)
    starts = run_starts(*(key[order] for key in keys))
    return order[np.bincount(starts, minlength=table.num_rows)[starts] > 1]


def _repeats(table: pa.Table) -> np.ndarray:
    """Whether each row is equal to one before it, bool [rows]."""
    values = [
        _codes(plain(table[name]))
        for name in table.column_names
        if name not in (SOURCE_FILE, SOURCE_ROW)
    ]
    place = [table[SOURCE_ROW].to_numpy(), text_ranks(table[SOURCE_FILE])]
    order = np.lexsort([*place, *values])
    starts = run_starts(*(value[order] for value in values))
    repeated = np.empty(table.num_rows, dtype=bool)
    repeated[order] = starts != np.arange(table.num_rows)
    return repeated


def _codes(column: pa.Array) -> np.ndarray:
    """Whole numbers that are equal where the values are; null equals null."""
    if pa.types.is_list(column.type):
        escaped = pc.replace_substring(column.flatten(), "\\", "\\\\")
        escaped = pc.replace_substring(escaped, ",", "\\,")
        lists = pa.ListArray.from_arrays(_offsets(column), escaped)
        column = pc.binary_join(lists, ",")
    codes = pc.fill_null(column.dictionary_encode().indices, -1)
    return codes.to_numpy(zero_copy_only=False).astype(np.int64)


def _offsets(lists: pa.ListArray) -> pa.Array:
    """Offsets into `lists.flatten()`, null where a list is null."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    ends = np.concatenate([[0], np.cumsum(lengths.to_numpy(zero_copy_only=False))])
    missing = lists.is_null().to_numpy(zero_copy_only=False)
    return pa.array(ends.astype(np.int32), mask=np.append(missing, False))
