"""Lists in text cells: entries between commas, or as another tool prints a list."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BRACKETS = r"(?s)^\s*(\[.*\]|\{.*\}|\(\s*['\"].*\))\s*$"
_NUMBERS = re.compile(r"[-+.\deE]+(\s+[-+.\deE]+)+")
_NULLS = ("None", "null", "nan", "NaN", "<NA>")


def split_cells(text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Text cells as lists of texts.

    A cell holds entries with commas between them, or a list in the notation of Python,
    JSON, NumPy ("['x' 'y']") or PostgreSQL ("{x,y}"): what data frames and exports
    write.

    Args:
        text: pa.string() [rows].

    Returns:
        pa.list_(pa.string()) [rows], with null for a null cell, and which cells have
        brackets around what is no flat list, bool [rows].
    """
    unreadable = np.zeros(len(text), dtype=bool)
    bracketed = pc.match_substring_regex(text, pattern=_BRACKETS)
    bracketed = pc.fill_null(bracketed, False)
    if not pc.any(bracketed).as_py():
        return pc.split_pattern(text, ","), unreadable
    encoded = text.dictionary_encode()
    cells = encoded.dictionary
    in_brackets = pc.match_substring_regex(cells, pattern=_BRACKETS)
    entries = [
        _parse(cell.strip()) if parse else cell.split(",")
        for cell, parse in zip(cells.to_pylist(), in_brackets.to_pylist(), strict=True)
    ]
    lists = pa.array(entries, pa.list_(pa.string())).take(encoded.indices)
    broken = np.array([each is None for each in entries] + [False])
    codes = encoded.indices.fill_null(len(entries)).to_numpy(zero_copy_only=False)
    return lists, broken[codes]


def _parse(cell: str) -> list[str] | None:
    """The entries of a list in brackets; None if it is no flat list."""
    inner = cell[1:-1].strip()
    if not inner:
        return []
    try:
        return _texts(json.loads(cell))
    except ValueError:
        pass
    if "'" in inner or '"' in inner:
        return _quoted(inner)
    if re.search(r"[\[\]{}()]|\.\.\.", inner):
        return None
    if _NUMBERS.fullmatch(inner):
        return inner.split()
    return [entry for entry in map(str.strip, inner.split(",")) if entry not in _NULLS]


def _texts(values: object) -> list[str] | None:
    if not isinstance(values, list):
        return None
    kept = [value for value in values if value is not None and value == value]
    if any(isinstance(value, (list, dict, bool)) for value in kept):
        return None
    return [str(value) for value in kept]


def _quoted(inner: str) -> list[str] | None:
    """Entries in quotes, with commas or blanks between them."""
    entries = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(f"({inner})").readline):
            if token.type == tokenize.STRING:
                entries.append(str(ast.literal_eval(token.string)))
            elif token.type == tokenize.NUMBER:
                entries.append(token.string)
            elif token.string.strip() not in ("", "(", ")", ",", *_NULLS):
                return None
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    return entries
