"""Duplicate rows: of rows that are equal in all columns the first is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import replace_elements
from preprocessing.arrays.ranks import run_starts, text_ranks
from preprocessing.checks.rejects import reject_impressions
from preprocessing.contract.column_names import (
    CONTRACT_COLUMNS,
    EVENT_TIME,
    SOURCE_FILE,
    SOURCE_ROW,
    USER_ID,
    VIDEO_ID,
)


class Deduplicated(NamedTuple):
    """The rows that stay, and the others.

    Attributes:
        kept: By `contract.schema.traced_schema`.
        rejects: By `checks.rejects.REJECT_SCHEMA`.
    """

    kept: pa.Table
    rejects: pa.Table


def drop_duplicates(table: pa.Table) -> Deduplicated:
    """Keeps the first of equal rows, by file name and position in the file.

    Rows are equal if they are equal in the contract's columns, label columns and
    declared features; where a row came from does not count. Values are compared as they
    are read: null is equal to null, NaN to NaN, -0.0 to 0.0, lists in their order; a
    null list is not equal to an empty one.

    Args:
        table: By `contract.schema.traced_schema`; with a row of a video it holds all
            rows of that video.
    """
    repeated = np.zeros(table.num_rows, dtype=bool)
    suspects = _suspects(table)
    if len(suspects):
        repeated[suspects[_repeats(table.take(pa.array(suspects)))]] = True
    reasons = [duplicate_reason(table.column_names)] * int(repeated.sum())
    rejects = reject_impressions(table.filter(pa.array(repeated)), reasons)
    return Deduplicated(table.filter(pa.array(~repeated)), rejects)


def duplicate_reason(columns: Sequence[str]) -> str:
    """What a duplicate is rejected for: it names what was compared.

    Args:
        columns: By `contract.schema.traced_schema`, or a part of it.
    """
    beside = {*CONTRACT_COLUMNS, SOURCE_FILE, SOURCE_ROW}
    others = [name for name in columns if name not in beside]
    compared = ", ".join(["the contract's", *others])
    return f"equal to another row in all columns that are read ({compared})"


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
        _codes(to_array(table[name]))
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
    if pa.types.is_floating(column.type):
        nan = pa.scalar(float("nan"), column.type)  # whatever its sign and payload
        column = pc.if_else(pc.is_nan(column), nan, column)
        column = pc.add(column, pa.scalar(0.0, column.type))  # -0.0 becomes 0.0
    if pa.types.is_list(column.type):
        escaped = pc.replace_substring(column.flatten(), "\\", "\\\\")
        escaped = pc.replace_substring(escaped, ",", "\\,")
        column = pc.binary_join(replace_elements(column, escaped), ",")
    codes = pc.fill_null(column.dictionary_encode().indices, -1)
    return codes.to_numpy(zero_copy_only=False).astype(np.int64)
