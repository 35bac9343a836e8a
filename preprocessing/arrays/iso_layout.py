"""ISO 8601 times that are all written in one layout, read by the column.

A column of times mostly has one layout, such as `2022-05-01T18:04:05.250Z`: its digits
stand at the same places in each row, so that numpy reads them all at once.
"""

from __future__ import annotations

import re

import numpy as np

_LAYOUT = re.compile(
    rb"0000-00-00(?:[T ]00:00(?P<seconds>:00)?(?:[.,](?P<fraction>0{1,9}))?"
    rb"(?P<zone> ?(?:Z|z|UTC|[+-]00:?00))?)?"
)
_ZERO = ord("0")
_MS_PER_DAY = 86_400_000
_OTHER_DIGITS = bytes.maketrans(b"123456789", b"000000000")


def read_layout(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool] | None:
    """Reads times by the layout of the first one.

    Args:
        cells: Texts of one length, uint8 [rows, length].

    Returns:
        Milliseconds since 1970, int64 [rows], in UTC where the layout has a zone;
        which rows have this layout and are times, bool [rows]; and whether the layout
        has a zone. None if the first row has no layout of ISO 8601.
    """
    form = cells[0].tobytes().translate(_OTHER_DIGITS)
    found = _LAYOUT.fullmatch(form)
    if found is None:
        return None
    layout = np.frombuffer(form, dtype=np.uint8)
    is_digit = layout == _ZERO
    columns = np.ascontiguousarray(cells.T) - layout[:, None]  # wraps below 0
    read = (columns <= np.where(is_digit, 9, 0)[:, None]).all(axis=0)

    def number(first: int, count: int) -> np.ndarray:
        value = np.zeros(len(cells), dtype=np.int32)
        for digit in columns[first : first + count]:
            value = value * 10 + digit
        return value.astype(np.int64)

    days, is_date = _days(number(0, 4), number(5, 2), number(8, 2))
    times, read = days * _MS_PER_DAY, read & is_date
    if len(form) > 10:
        hour, minute = number(11, 2), number(14, 2)
        read &= (hour < 24) & (minute < 60)
        times += (hour * 60 + minute) * 60_000
    if found["seconds"]:
        second = number(17, 2)
        read &= second < 60
        times += second * 1000
    if found["fraction"]:
        first, count = found.start("fraction"), min(len(found["fraction"]), 3)
        times += number(first, count) * 10 ** (3 - count)
    zone = found["zone"]
    if zone and b"0" in zone:
        sign = zone.lstrip()[:1]
        hours = number(len(form) - len(zone.lstrip()) + 1, 2)
        minutes = number(len(form) - 2, 2)
        read &= (hours < 24) & (minutes < 60)
        offset = (hours * 60 + minutes) * 60_000
        times += -offset if sign == b"+" else offset
    return times, read, bool(zone)


def _days(
    year: np.ndarray, month: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970, int64 [rows], and which are dates, bool [rows]."""
    months = (year - 1970) * 12 + month - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]")
    length = after.astype(np.int64) - first
    # Python, which reads what has another layout, has no year 0.
    valid = (year > 0) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= length)
    return first + day - 1, valid
