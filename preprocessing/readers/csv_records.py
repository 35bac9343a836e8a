"""Divides a CSV file into blocks of whole records, however its cells are quoted.

A line break inside a quoted cell ends no record. A quote opens a cell only where the
cell begins; elsewhere outside of quotes it is text, as the parsers of PyArrow and
Python have it. A quote counts as not closed if the one that would close it stands on
a later line and no cell ends behind it (or the file ends first): then its line alone is
given up, and reading goes on with the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*[^\r\n]*(?:\r\n|\r|\n|\Z)")
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_SHOWN_BYTES = 10_000


class Records(NamedTuple):
    """A block of a file.

    Attributes:
        content: Whole records.
        given_up: Lines (their first 10 kB) that have a quote that is not closed, or are
            longer than a record may be.
    """

    content: bytes
    given_up: list[bytes]


def split_header(file: IO[bytes], block_bytes: int) -> tuple[bytes, bytes]:
    """A file's first line that is not empty, and what was read beyond it."""
    begin = b""
    while block := file.read(block_bytes):
        begin += block
        line = _HEADER.match(begin)
        if line and line.end() < len(begin):
            return line.group(), begin[line.end() :]
    return begin, b""


def record_blocks(
    file: IO[bytes],
    begin: bytes,
    block_bytes: int,
    record_bytes: int,
    delimiter: str = ",",
    quoting: bool = True,
) -> Iterator[Records]:
    """Divides what follows the header; at most two records' size is in memory.

    Args:
        file: Stands behind `begin`.
        begin: What was read of the records already.
        block_bytes: How much to read at a time.
        record_bytes: Longer records are given up.
        delimiter: The character of ASCII between cells.
        quoting: Whether quotes enclose cells; else they are text like any other.
    """
    borders = _cell_borders(delimiter) if quoting else None
    rest, in_long_line, final = begin, False, False
    while not final:
        block = file.read(block_bytes)
        final = not block
        rest += block
        if in_long_line:
            line_end = re.search(rb"[\r\n]", rest)
            in_long_line = line_end is None
            rest = rest[line_end.end() :] if line_end else b""
        records, size = _divide(rest, borders, final, give_up=False)
        if len(rest) - size > record_bytes:
            records, size = _divide(rest, borders, final, give_up=True)
        rest = rest[size:]
        if len(rest) > record_bytes:
            records.given_up.append(rest[:_SHOWN_BYTES])
            rest, in_long_line = b"", True
        yield records


def _cell_borders(delimiter: str) -> np.ndarray:
    """Which bytes stand before or behind a cell, bool [256]."""
    borders = np.zeros(256, dtype=bool)
    borders[[ord(delimiter), _NEWLINE, _RETURN]] = True
    return borders


def _divide(
    text: bytes, is_border: np.ndarray | None, final: bool, give_up: bool
) -> tuple[Records, int]:
    """The whole records that a text begins with, and how many bytes they are.

    Args:
        text: Begins with a record.
        is_border: Of `_cell_borders`; None where no quotes enclose cells.
        final: Whether the file ends with the text.
        give_up: Whether a quote that is open at the text's end counts as not closed.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    line_ends = _line_ends(data, text, final)
    if is_border is not None and b'"' in text:
        record_ends, unclosed = _outside_quotes(
            data, line_ends, is_border, final, give_up
        )
    else:
        record_ends, unclosed = line_ends, line_ends[:0]
    size = len(text) if final else int(record_ends[-1]) + 1 if len(record_ends) else 0
    borders = np.concatenate([[0], record_ends + 1, [size]])
    place = np.searchsorted(borders, unclosed, side="right")
    pieces, given_up, start = [], [], 0
    for line, stop in zip(borders[place - 1], borders[place], strict=True):
        pieces.append(text[start:line])
        given_up.append(text[line : min(stop, line + _SHOWN_BYTES)].rstrip(b"\r\n"))
        start = stop
    pieces.append(text[start:size])
    return Records(b"".join(pieces), given_up), size


def _line_ends(data: np.ndarray, text: bytes, final: bool) -> np.ndarray:
    """Where lines end: at a line feed, or a carriage return without one."""
    ends = data == _NEWLINE
    if b"\r" in text:
        alone = data == _RETURN
        alone[:-1] &= ~ends[1:]
        alone[-1] &= final
        ends |= alone
    return np.flatnonzero(ends)


def _outside_quotes(
    data: np.ndarray,
    line_ends: np.ndarray,
    is_border: np.ndarray,
    final: bool,
    give_up: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Line ends that end records, and the quotes that are not closed.

    Only runs of an odd number of quotes change whether what follows is quoted. What
    such a run makes of it (1: quoted) is one of three functions, composed by sums:
    it is text or ends a cell (0), opens a cell anew (1), opens or closes (the other).
    """
    start, stop = _odd_runs(data, final)
    if not len(start):
        return line_ends, start
    at_begin = (start == 0) | is_border[data[start - 1]]
    follower = data[np.minimum(stop, len(data) - 1)]
    at_end = (stop == len(data)) | is_border[follower]
    line = np.searchsorted(line_ends, start)
    closes = at_end | (np.diff(line, prepend=line[0]) == 0)

    flips = at_begin & closes
    number = np.arange(len(start))
    fixed = np.maximum.accumulate(np.where(flips, -1, number))
    flipped = np.cumsum(flips)
    since = flipped - np.where(fixed < 0, 0, flipped[fixed])
    begun_as = np.where(fixed < 0, 0, at_begin[fixed])
    quoted = (begun_as + since) % 2 == 1

    unclosed = np.zeros(len(start), dtype=bool)
    unclosed[:-1] = quoted[:-1] & ~closes[1:]
    unclosed[-1] = quoted[-1] and (final or give_up)
    quoted &= ~unclosed
    run = np.searchsorted(start, line_ends) - 1
    return line_ends[(run < 0) | ~quoted[run]], start[unclosed]


def _odd_runs(data: np.ndarray, final: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where runs of an odd number of quotes begin and end.

    A run at the end may go on in the next block; no line end follows it here.
    """
    quotes = np.flatnonzero(data == _QUOTE)
    first = np.flatnonzero(np.diff(quotes, prepend=-2) != 1)
    start = quotes[first]
    stop = quotes[np.append(first[1:], len(quotes)) - 1] + 1
    odd = (stop - start) % 2 == 1
    if not final:
        odd &= stop < len(data)
    return start[odd], stop[odd]
