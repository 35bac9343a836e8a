"""Times in text as `strptime` reads them, and times in two columns."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import Converted, to_text
from preprocessing.arrays.local_times import local_to_utc_ms
from preprocessing.arrays.time_text import read_iso_times

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MS = datetime.timedelta(milliseconds=1)
# Codes that the C library reads as Python does, and by the column.
_PLAIN_CODES = set("YmdHMSIp%")


def read_formatted_times(raw: pa.Array, form: str, zone: str | None) -> Converted:
    """Times by a format of `strptime`.

    Args:
        raw: Text, or whole numbers such as 20220501.
        form: The format.
        zone: Where times that name no zone were taken; None for UTC.

    Returns:
        UTC milliseconds since 1970, int64 [rows], null where a cell is missing or
        unreadable; and which cells are unreadable, bool [rows].
    """
    text, broken = to_text(raw)
    values = np.zeros(len(text), dtype=np.int64)
    read = np.zeros(len(text), dtype=bool)
    local = np.ones(len(text), dtype=bool)
    known = text.is_valid().to_numpy(zero_copy_only=False)
    slow = known
    if set(re.findall("%(.)", form)) <= _PLAIN_CODES:
        times = pc.strptime(text, format=form, unit="ms", error_is_null=True)
        read = times.is_valid().to_numpy(zero_copy_only=False)
        values = times.cast(pa.int64()).fill_null(0).to_numpy().copy()
        slow = read & _may_be_no_date(times)
    if slow.any():
        rows = text.filter(pa.array(slow))
        values[slow], read[slow], local[slow] = _read_each(rows, form)
    local &= read
    if zone is not None and local.any():
        values[local] = local_to_utc_ms(values[local], zone)
    return pa.array(values, mask=~read), (known & ~read) | broken


def read_date_and_time(
    date: pa.Array, time: pa.Array | None, zone: str | None
) -> Converted:
    """Times whose date and time of day are in two columns.

    Args:
        date: 2022-05-01 or 20220501, as text, whole number or date.
        time: 18:04, 18:04:05.25, 1804 or 180405, as text, whole number (930 is 09:30)
            or time of day; None for midnight.
        zone: Where they were taken; None for UTC.

    Returns:
        As `read_formatted_times`; missing where one of the two is.
    """
    days, missing, unreadable = _each(date, _DASHED, "")
    if time is not None:
        clock, no_time, no_clock = _each(time, _COLONS, "1970-01-01T")
        days, missing = days + clock, missing | no_time
        unreadable = unreadable | no_clock
    unreadable &= ~missing
    bad = missing | unreadable
    if zone is not None:
        days = local_to_utc_ms(np.where(bad, 0, days), zone)
    return pa.array(np.where(bad, 0, days), mask=bad), unreadable


# Patterns and replacements by which digits alone become the notation of ISO 8601.
_DASHED = ((r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3"),)
_COLONS = (
    (r"^(\d)$", r"000\1"),
    (r"^(\d\d)$", r"00\1"),
    (r"^(\d{3}|\d{5})$", r"0\1"),
    (r"^(\d):", r"0\1:"),
    (r"^(\d\d)(\d\d)$", r"\1:\2"),
    (r"^(\d\d)(\d\d)(\d\d([.,]\d+)?)$", r"\1:\2:\3"),
)


def _each(
    raw: pa.Array, rules: tuple[tuple[str, str], ...], before: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Milliseconds, which are missing, which are unreadable; each cell read once."""
    text, broken = to_text(raw)
    encoded = pc.utf8_trim_whitespace(text).dictionary_encode()
    each = encoded.dictionary
    for pattern, replacement in rules:
        each = pc.replace_substring_regex(
            each, pattern=pattern, replacement=replacement
        )
    each = pc.binary_join_element_wise(before, each, "")
    times, read = read_iso_times(each)
    codes = encoded.indices.fill_null(len(each)).to_numpy(zero_copy_only=False)
    missing = codes == len(each)
    values, readable = np.append(times, 0)[codes], np.append(read, False)[codes]
    return values, missing & ~broken, ~readable & ~missing | broken


def _may_be_no_date(times: pa.Array) -> np.ndarray:
    """Which times the C library may have made of a 30th of February and the like.

    It counts on: such a day becomes one of the first in the month after.
    """
    month = pc.fill_null(pc.month(times), 0).to_numpy(zero_copy_only=False)
    day = pc.fill_null(pc.day(times), 0).to_numpy(zero_copy_only=False)
    return ((month == 3) & (day <= 3)) | (np.isin(month, (5, 7, 10, 12)) & (day == 1))


def _read_each(text: pa.Array, form: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times one by one, each once: values, which are read, which name no zone."""
    encoded = text.dictionary_encode()
    parsed = [_parsed(cell, form) for cell in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy()
    values = np.array([time or 0 for time, _ in parsed], dtype=np.int64)
    read = np.array([time is not None for time, _ in parsed])
    local = np.array([is_local for _, is_local in parsed])
    return values[codes], read[codes], local[codes]


def _parsed(cell: str, form: str) -> tuple[int | None, bool]:
    """UTC milliseconds, and whether a zone is still to be taken off them."""
    try:
        moment = datetime.datetime.strptime(cell.strip(), form)
    except ValueError:
        return None, False
    local = moment.tzinfo is None
    if local:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - _EPOCH) // _MS, local
