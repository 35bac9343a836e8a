"""Columns in protocol buffers' wire format, a whole column at a time.

A column becomes one blob per row: pieces of the rows' messages lie one after the other,
with offsets between them, as Arrow keeps texts. No Python object is made for a value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_EMPTY = pa.scalar(b"", pa.large_binary())


def varint(number: int) -> bytes:
    """A number of 0 or more in base 128, the low digits first."""
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def delimited(field: int, length: int) -> bytes:
    """What stands before a field's content of so many bytes: its tag and length."""
    return varint(field << 3 | 2) + varint(length)


def blobs(offsets: np.ndarray, data: pa.Buffer) -> pa.LargeBinaryArray:
    """One blob per row.

    Args:
        offsets: Where each begins and ends, int64 [rows + 1].
        data: The blobs, one after the other.
    """
    ends = pa.py_buffer(np.ascontiguousarray(offsets, np.int64))
    rows = len(offsets) - 1
    return pa.Array.from_buffers(pa.large_binary(), rows, [None, ends, data])


def lengths_of(rows: pa.LargeBinaryArray) -> np.ndarray:
    """Bytes of each blob, int64 [rows]."""
    return np.diff(_offsets(rows))


def joined(*parts: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """The parts of each row, one after the other."""
    return pc.binary_join_element_wise(*parts, _EMPTY)


def headers(
    lengths: np.ndarray, header: Callable[[int], bytes], rows: np.ndarray | None = None
) -> pa.LargeBinaryArray:
    """What stands before contents of these lengths.

    Args:
        lengths: Of the contents, int64 [rows].
        header: Of a length; called once for each length that occurs.
        rows: Which rows have a content at all, bool [rows]; None for all.
    """
    occurring = np.flatnonzero(np.bincount(lengths))
    known = [header(length) for length in occurring.tolist()]
    numbers = np.searchsorted(occurring, lengths)
    if rows is not None:
        numbers[~rows] = len(known)
    distinct = pa.array([*known, b""], pa.large_binary())
    return distinct.take(pa.array(numbers))


def text_elements(values: pa.Array, field: int) -> pa.LargeBinaryArray:
    """Texts as elements of a repeated field.

    Args:
        values: Texts or bytes; a null is an empty text.
        field: The field's number.
    """
    texts = pc.fill_null(values.cast(pa.large_binary()), _EMPTY)
    lengths = lengths_of(texts)
    return joined(headers(lengths, lambda size: delimited(field, size)), texts)


def concatenated(elements: pa.LargeBinaryArray, ends: np.ndarray) -> pa.Array:
    """One blob per row of several elements.

    Args:
        elements: Of all rows, one after the other.
        ends: Where each row's elements begin and end, int64 [rows + 1].
    """
    return blobs(_offsets(elements)[ends], elements.buffers()[2] or pa.py_buffer(b""))


def packed_integers(values: np.ndarray, ends: np.ndarray) -> pa.LargeBinaryArray:
    """One blob per row of its numbers, int64 as varints.

    Args:
        values: Of all rows, int64.
        ends: Where each row's numbers begin and end, int64 [rows + 1].
    """
    numbers = values.view(np.uint64)
    sizes = np.ones(len(numbers), np.int64)
    for digit in range(1, 10):
        longer = numbers >= np.uint64(1 << 7 * digit)
        if not longer.any():
            break
        sizes += longer
    places = np.concatenate([[0], np.cumsum(sizes)])
    data = np.empty(places[-1], np.uint8)
    for digit in range(int(sizes.max(initial=0))):
        has = np.flatnonzero(sizes > digit) if digit else slice(None)
        digits = (numbers[has] >> np.uint64(7 * digit)).astype(np.uint8)
        more = sizes[has] > digit + 1
        data[places[:-1][has] + digit] = np.where(more, digits | 0x80, digits & 0x7F)
    return blobs(places[ends], pa.py_buffer(data))


def packed_floats(values: np.ndarray, ends: np.ndarray) -> pa.LargeBinaryArray:
    """One blob per row of its numbers, float32.

    Args:
        values: Of all rows, float32.
        ends: Where each row's numbers begin and end, int64 [rows + 1].
    """
    return blobs(4 * ends, pa.py_buffer(np.ascontiguousarray(values, "<f4")))


def _offsets(rows: pa.LargeBinaryArray) -> np.ndarray:
    if not len(rows):
        return np.zeros(1, np.int64)
    ends = np.frombuffer(rows.buffers()[1], np.int64)
    return ends[rows.offset : rows.offset + len(rows) + 1]
