"""Columns as files hold them become canonical columns; what cannot be read is marked.

Each function takes a raw column of any type that `contract.check_types` lets through
(text cells included: that is how CSV arrives) and returns the canonical column with
nulls where a value is missing or unreadable, and which rows are unreadable.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_WHOLE = r"^[+-]?\d{1,18}(\.0*)?$"
_DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_INT64_END = 2.0**63

Converted = tuple[pa.Array, np.ndarray]


def to_int64(raw: pa.Array) -> Converted:
    """Whole numbers: integers, whole floats, booleans, timestamps (as ms), or text."""
    kind = raw.type
    if pa.types.is_timestamp(kind):
        raw = raw.cast(pa.timestamp("ms", tz=kind.tz), safe=False)
        return raw.cast(pa.int64()), _none(raw)
    if pa.types.is_string(kind):
        text, unreadable = _matching(raw, _WHOLE)
        digits = pc.replace_substring_regex(text, pattern=r"^\+|\.0*$", replacement="")
        return digits.cast(pa.int64()), unreadable
    if pa.types.is_floating(kind):
        raw = raw.cast(pa.float64())
        values = raw.to_numpy(zero_copy_only=False)
        missing = np.isnan(values)
        with np.errstate(invalid="ignore"):
            whole = (np.floor(values) == values) & (np.abs(values) < _INT64_END)
        numbers = np.where(whole, values, 0).astype(np.int64)
        return pa.array(numbers, mask=~whole), ~whole & ~missing
    return raw.cast(pa.int64(), safe=False), _none(raw)


def to_float32(raw: pa.Array) -> Converted:
    """Finite numbers; NaN is missing."""
    if pa.types.is_string(raw.type):
        raw, unreadable = _matching(raw, _DECIMAL)
    else:
        unreadable = _none(raw)
    values = raw.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    infinite = np.isinf(single)
    return pa.array(single, mask=np.isnan(single) | infinite), unreadable | infinite


def to_text(raw: pa.Array) -> Converted:
    """Text; numbers as decimal text, the empty text as missing."""
    text = _as_string(raw)
    empty = pc.equal(text, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), text), _none(raw)


def to_text_list(raw: pa.Array) -> Converted:
    """Lists of texts without nulls and empty texts; text cells are split at commas."""
    if pa.types.is_string(raw.type):
        raw = pc.split_pattern(raw, ",")
        words = pc.utf8_trim_whitespace(raw.flatten())
    else:
        words = _as_string(raw.flatten())
    keep = pc.fill_null(pc.not_equal(words, ""), False)
    kept_before = np.concatenate([[0], np.cumsum(keep.to_numpy(zero_copy_only=False))])
    lengths = pc.fill_null(pc.list_value_length(raw), 0).to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    offsets = pa.array(
        kept_before[ends].astype(np.int32),
        mask=np.append(raw.is_null().to_numpy(zero_copy_only=False), False),
    )
    return pa.ListArray.from_arrays(offsets, words.filter(keep)), _none(raw)


def plain(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One array without dictionary encoding."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = (
                pa.concat_arrays(column.chunks)
                if column.num_chunks
                else pa.array([], column.type)
            )
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    return column


def _matching(raw: pa.Array, pattern: str) -> Converted:
    """Trimmed text where it matches; blank text is missing, other text unreadable."""
    text = pc.utf8_trim_whitespace(raw)
    matches = pc.match_substring_regex(text, pattern=pattern)
    matched = pc.if_else(matches, text, pa.scalar(None, pa.string()))
    unreadable = pc.and_(pc.invert(matches), pc.not_equal(text, ""))
    mask = pc.fill_null(unreadable, False).to_numpy(zero_copy_only=False)
    return matched, mask


def _as_string(values: pa.Array) -> pa.Array:
    values = plain(values)
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _none(raw: pa.Array) -> np.ndarray:
    return np.zeros(len(raw), dtype=bool)
