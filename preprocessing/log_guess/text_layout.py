"""How a text file's lines divide into cells: delimiter, quotes, header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from preprocessing.log_guess.vocabulary import is_known_word

_DELIMITERS = ("\t", ",", ";", "|", "\x01")
_LINES = 500
_LEAST_SHARE = 0.9  # of the lines that have the usual number of cells
_NUMBER = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?")
_LONGEST_NAME = 64
_MOST_BREAKS = 10  # line breaks in a cell that is meant to have some


@dataclass(frozen=True)
class TextLayout:
    """How to read a text file.

    Attributes:
        delimiter: One character.
        quoting: Whether double quotes enclose cells.
        cells: Cells of a line.
        header: The names in the first line; () where it is a row like the others.
    """

    delimiter: str
    quoting: bool
    cells: int
    header: tuple[str, ...] = ()


def text_layout(text: str) -> TextLayout | None:
    """The layout that most lines agree with.

    Args:
        text: The file's first lines, whole.

    Returns:
        None where no delimiter divides the lines into the same number of cells.
    """
    lines = lines_of(text)[:_LINES]
    found = []
    for delimiter in _DELIMITERS:
        for quoting in (True, False):
            cells, share = _agreement(lines, delimiter, quoting)
            if cells > 1 and share >= _LEAST_SHARE:
                found.append((share, cells, quoting, delimiter))
    if not found:
        return None
    _, cells, quoting, delimiter = max(found)
    if delimiter == "\t" and not _quoted(lines, delimiter):
        quoting = False  # a lone quote further down would cost its lines
    first = next(split_lines(lines[:50], delimiter, quoting), [])
    rest = [
        row
        for row in list(split_lines(lines, delimiter, quoting))[1:]
        if len(row) == cells
    ]
    header = tuple(first) if _is_header(first, rest) else ()
    return TextLayout(delimiter, quoting, cells, header)


def lines_of(text: str) -> list[str]:
    """Lines with their line feeds; other characters that end lines are text."""
    lines = text.split("\n")
    return [f"{line}\n" for line in (lines if lines[-1] else lines[:-1])]


def split_lines(
    lines: Sequence[str], delimiter: str, quoting: bool
) -> Iterator[list[str]]:
    """Rows of cells; what is not closed ends with the last line."""
    return csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
    )


def _agreement(
    lines: Sequence[str], delimiter: str, quoting: bool
) -> tuple[int, float]:
    """The usual number of cells, and the share of lines that have it."""
    try:
        rows = [row for row in split_lines(lines, delimiter, quoting) if row]
    except csv.Error:
        return 0, 0.0
    if not rows:
        return 0, 0.0
    cells, count = Counter(map(len, rows)).most_common(1)[0]
    # A quote that is never closed swallows lines: these count as disagreeing.
    breaks = [cell.count("\n") for row in rows for cell in row]
    swallowed = sum(count for count in breaks if count > _MOST_BREAKS)
    return cells, count / (len(rows) + swallowed)


def _quoted(lines: Sequence[str], delimiter: str) -> bool:
    cells = (cell for line in lines for cell in line.rstrip("\r\n").split(delimiter))
    return any(len(c) > 1 and c[0] == c[-1] == '"' for c in cells)


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a first line holds names: words that are told apart, unlike the rest."""
    names = [cell.strip() for cell in first]
    if len(set(names)) < len(names) or not all(map(_may_be_name, names)):
        return False
    columns = list(zip(*rest, strict=True))
    if any(name in column for name, column in zip(names, columns, strict=False)):
        return False  # a value like those below it
    if any(map(is_known_word, names)):
        return True
    return any(
        all(_NUMBER.fullmatch(cell.strip()) for cell in column if cell)
        for column in columns
        if any(column)
    )


def _may_be_name(cell: str) -> bool:
    return bool(cell) and len(cell) <= _LONGEST_NAME and not cell[0].isdigit()
