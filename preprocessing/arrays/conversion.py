"""Columns as files hold them become canonical columns; what cannot be read is marked.

`convert` and the `to_...` functions that it chooses from take a raw column of any type
that `contract.schema.check_types` lets through (text cells included: that is how CSV
arrives). They return the canonical column, with nulls where a value is missing or
unreadable, and which rows are unreadable, bool [rows].
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.list_text import split_cells
from preprocessing.arrays.lists import (
    first_elements,
    list_lengths,
    make_lists,
    null_mask,
    offsets_of,
)
from preprocessing.arrays.time_text import read_iso_times

_WHOLE = r"^[+-]?\d{1,18}(\.0*)?$"
_DECIMAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_TRUE, _FALSE = r"(?i)^true$", r"(?i)^false$"
_PRINTED = r"""(?s)^\s*\[\s*['"].*['"]\s*\]\s*$"""
_INT64_END = 2.0**63
_WHOLE_END = 2.0**53  # below it each whole number is a float64

Converted = tuple[pa.Array, np.ndarray]


def convert(raw: pa.Array, kind: pa.DataType, is_time: bool = False) -> Converted:
    """A raw column as the canonical one of a type.

    Args:
        raw: The column; one of Arrow's null type holds nulls only.
        kind: A list of texts, text, a float, or else int64.
        is_time: Whether an int64 column holds times.
    """
    if pa.types.is_null(raw.type):
        return pa.nulls(len(raw), kind), _none(raw)
    if pa.types.is_list(kind):
        return to_text_list(raw)
    if pa.types.is_string(kind):
        return to_text(raw)
    if is_time:
        return to_time_ms(raw)
    return to_float32(raw) if pa.types.is_floating(kind) else to_int64(raw)


def to_time_ms(
    raw: pa.Array, zone: str | None = None, numbers: bool = True
) -> Converted:
    """Milliseconds: whole numbers, timestamps, or text with either.

    Args:
        raw: The column.
        zone: Where ISO 8601 text that names no zone was written; None for UTC.
        numbers: Whether numbers in text are milliseconds; else they are unreadable.
    """
    if not numbers and is_text(raw.type):
        return _iso_alone(raw, zone)
    values, unreadable = to_int64(raw)
    if not unreadable.any() or not is_text(raw.type):
        return values, unreadable
    text, _ = _as_string(raw.filter(pa.array(unreadable)))
    times, read = read_iso_times(pc.utf8_trim_whitespace(text), zone)
    return _replace(values, unreadable, times, read)


def _iso_alone(raw: pa.Array, zone: str | None) -> Converted:
    text, broken = _as_string(raw)
    text = pc.utf8_trim_whitespace(text)
    times, read = read_iso_times(text, zone)
    given = pc.fill_null(pc.not_equal(text, ""), False).to_numpy(zero_copy_only=False)
    return pa.array(times, mask=~read), (given & ~read) | broken


def to_int64(raw: pa.Array) -> Converted:
    """Whole numbers: of any numeric type, booleans, timestamps (as ms), or text."""
    kind = raw.type
    if pa.types.is_decimal(kind):
        raw = raw.cast(pa.float64())
        kind = raw.type
    if pa.types.is_timestamp(kind):
        raw = raw.cast(pa.timestamp("ms", tz=kind.tz), safe=False)
        return raw.cast(pa.int64()), _none(raw)
    if is_text(kind):
        text, unreadable = _matching(raw, _WHOLE)
        digits = pc.replace_substring_regex(text, pattern=r"^\+|\.0*$", replacement="")
        values = digits.cast(pa.int64())
        if not unreadable.any():
            return values, unreadable
        numbers = to_float64(raw.filter(pa.array(unreadable)))
        whole = (np.floor(numbers) == numbers) & (np.abs(numbers) < _WHOLE_END)
        return _replace(
            values, unreadable, np.where(whole, numbers, 0).astype(np.int64), whole
        )
    if pa.types.is_floating(kind):
        raw = raw.cast(pa.float64())
        values = raw.to_numpy(zero_copy_only=False)
        missing = np.isnan(values)
        with np.errstate(invalid="ignore"):
            whole = (np.floor(values) == values) & (np.abs(values) < _INT64_END)
        numbers = np.where(whole, values, 0).astype(np.int64)
        return pa.array(numbers, mask=~whole), ~whole & ~missing
    values = raw.cast(pa.int64(), safe=False)
    if not pa.types.is_uint64(kind):
        return values, _none(raw)
    wrapped = pc.fill_null(pc.less(values, 0), False)
    values = pc.if_else(wrapped, pa.scalar(None, pa.int64()), values)
    return values, wrapped.to_numpy(zero_copy_only=False)


def to_float64(raw: pa.Array) -> np.ndarray:
    """Numbers of any size, float64 [rows]; NaN for what is none."""
    if is_text(raw.type):
        raw, _ = _decimals(raw)
    return raw.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def to_float32(raw: pa.Array) -> Converted:
    """Finite numbers; NaN is missing."""
    if is_text(raw.type):
        raw, unreadable = _decimals(raw)
    else:
        unreadable = _none(raw)
    values = raw.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    infinite = np.isinf(single)
    return pa.array(single, mask=np.isnan(single) | infinite), unreadable | infinite


def to_text(raw: pa.Array) -> Converted:
    """Text; numbers as decimal text, the empty text as missing."""
    text, unreadable = _as_string(raw)
    empty = pc.equal(text, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), text), unreadable


def to_text_list(raw: pa.Array) -> Converted:
    """Lists of texts without nulls and empty texts; of text cells by `split_cells`.

    A list whose only entry is a printed list counts as that list.
    """
    if is_text(raw.type):
        raw, broken = _as_string(raw)
        raw, unreadable = split_cells(raw)
        unreadable = unreadable | broken
        words = pc.utf8_trim_whitespace(raw.flatten())
    else:
        words, broken = _as_string(raw.flatten())
        unreadable = _any_in_list(raw, broken)
        raw = make_lists(offsets_of(list_lengths(raw)), words, null_mask(raw))
        raw = _reprinted(raw)
        words = raw.flatten()
    keep = pc.fill_null(pc.not_equal(words, ""), False)
    kept_before = offsets_of(keep.to_numpy(zero_copy_only=False))
    offsets = kept_before[offsets_of(list_lengths(raw))]
    return make_lists(offsets, words.filter(keep), null_mask(raw)), unreadable


def _reprinted(lists: pa.ListArray) -> pa.ListArray:
    """Lists, those whose only entry is a printed list replaced by that list's entries.

    So `["['x', 'y']"]`, which is what a writer of lists makes of a data frame's text,
    becomes `["x", "y"]`. What is no flat list stays an entry.
    """
    only = first_elements(lists)
    printed = pc.match_substring_regex(only, pattern=_PRINTED)
    printed = pc.fill_null(printed, False).to_numpy(zero_copy_only=False)
    printed &= list_lengths(lists) == 1
    if not printed.any():
        return lists
    rows = np.flatnonzero(printed)
    entries, unreadable = split_cells(only.take(pa.array(rows)))
    place = np.arange(len(lists))
    place[rows] = np.where(unreadable, rows, len(lists) + np.arange(len(rows)))
    return pa.concat_arrays([lists, entries]).take(pa.array(place))


def to_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array, without dictionary encoding and 64-bit offsets."""
    # Before chunks become one: 8-bit indices of each may not do for the values of all.
    column = _decoded(column)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = (
                pa.concat_arrays(column.chunks)
                if column.num_chunks
                else pa.array([], column.type)
            )
    if pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    if pa.types.is_large_binary(column.type):
        column = column.cast(pa.binary())
    return column


def _decoded(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_list(kind) and pa.types.is_dictionary(kind.value_type):
        return column.cast(pa.list_(kind.value_type.value_type))
    if pa.types.is_large_list(kind) and pa.types.is_dictionary(kind.value_type):
        return column.cast(pa.large_list(kind.value_type.value_type))
    return column


def _decimals(raw: pa.Array) -> Converted:
    """Text of numbers, with 1 and 0 for true and false."""
    text, unreadable = _matching(raw, _DECIMAL)
    if not unreadable.any():
        return text, unreadable
    words = pc.utf8_trim_whitespace(_as_string(raw)[0])
    for word, number in ((_TRUE, "1"), (_FALSE, "0")):
        found = pc.fill_null(pc.match_substring_regex(words, pattern=word), False)
        text = pc.if_else(found, number, text)
        unreadable = unreadable & ~found.to_numpy(zero_copy_only=False)
    return text, unreadable


def _replace(
    values: pa.Array, rows: np.ndarray, others: np.ndarray, read: np.ndarray
) -> Converted:
    """Puts other values, where they were read, into rows that were unreadable."""
    filled = pc.replace_with_mask(values, pa.array(rows), pa.array(others, mask=~read))
    still = rows.copy()
    still[rows] = ~read
    return filled, still


def _matching(raw: pa.Array, pattern: str) -> Converted:
    """Trimmed text where it matches; blank text is missing, other text unreadable."""
    text, broken = _as_string(raw)
    text = pc.utf8_trim_whitespace(text)
    matches = pc.match_substring_regex(text, pattern=pattern)
    matched = pc.if_else(matches, text, pa.scalar(None, pa.string()))
    unreadable = pc.and_(pc.invert(matches), pc.not_equal(text, ""))
    mask = pc.fill_null(unreadable, False).to_numpy(zero_copy_only=False)
    return matched, mask | broken


def _as_string(values: pa.Array) -> Converted:
    """Text of texts, bytes or numbers; bytes that are not UTF-8 are unreadable."""
    values = to_array(values)
    if pa.types.is_decimal(values.type):
        values = _whole_decimals(values)
    if not is_text(values.type):
        return values.cast(pa.string()), _none(values)
    content = values.cast(pa.binary())
    try:
        return content.cast(pa.string()), _none(values)
    except pa.ArrowInvalid:
        broken = _not_utf8(content)
        content = pc.if_else(pa.array(broken), pa.scalar(None, pa.binary()), content)
        return content.cast(pa.string()), broken


def _whole_decimals(values: pa.Array) -> pa.Array:
    """Decimals without a fraction as int64, or as text where one is too large."""
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        texts = (None if v is None else f"{v:f}" for v in values.to_pylist())
        return pa.array(texts, pa.string())


def is_utf8(values: pa.Array) -> np.ndarray:
    """Which cells are UTF-8 text, bool [rows]; for a list, whether its texts are."""
    values = to_array(values)
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return ~_any_in_list(values, _as_string(values.flatten())[1])
    return ~_as_string(values)[1]


def _not_utf8(content: pa.Array) -> np.ndarray:
    """Which values are not UTF-8, bool [rows]; slow, for files that have some."""
    encoded = content.dictionary_encode()
    broken = np.zeros(len(encoded.dictionary) + 1, dtype=bool)  # and one for null
    for code, value in enumerate(encoded.dictionary.to_pylist()):
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            broken[code] = True
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return broken[codes]


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text or bytes."""
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _any_in_list(lists: pa.Array, elements: np.ndarray) -> np.ndarray:
    """Whether any element of each list is marked, bool [rows]."""
    before = offsets_of(elements)
    return np.diff(before[offsets_of(list_lengths(lists))]) > 0


def _none(raw: pa.Array) -> np.ndarray:
    return np.zeros(len(raw), dtype=bool)
