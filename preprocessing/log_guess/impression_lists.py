"""Columns whose cells hold a whole list of impressions: `N1-0 N2-1 N3-0`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from preprocessing.log_guess.profiles import ColumnProfile

_LOOKED_AT = 500
_SHAPES = (
    (" ", "-"),
    (",", ":"),
    (" ", ":"),
    (";", ":"),
    ("|", ":"),
    (",", "-"),
    ("|", "-"),
)
FIELDS = ("video_id", "clicked")


class Exploded(NamedTuple):
    """Rows of one impression each.

    Attributes:
        table: In place of the list, the columns `FIELDS`.
        entry: `source.explode`.
        mean_length: Impressions of a list.
    """

    table: pa.Table
    entry: Mapping[str, Any]
    mean_length: float


def is_impression_list(profile: ColumnProfile) -> bool:
    """Whether cells are lists of ids, each with 0 or 1."""
    return _shape(profile) is not None


def explode_lists(table: pa.Table, profiles: list[ColumnProfile]) -> Exploded | None:
    """One row per impression, where a column holds lists of them; else None."""
    for profile in profiles:
        shape = _shape(profile)
        if shape is None:
            continue
        between, inside = shape
        cells = [cell or "" for cell in profile.texts.to_pylist()]
        lists = [cell.split(between) if cell else [] for cell in cells]
        rows = np.repeat(np.arange(len(lists)), list(map(len, lists)))
        pairs = [entry.rpartition(inside)[::2] for each in lists for entry in each]
        exploded = table.drop([profile.name]).take(pa.array(rows))
        for place, name in enumerate(FIELDS):
            values = pa.array([pair[place] for pair in pairs], pa.string())
            exploded = exploded.append_column(name, values)
        entry = {
            "column": profile.name,
            "separator": between,
            "fields": list(FIELDS),
            "field_separator": inside,
        }
        return Exploded(exploded, entry, len(rows) / max(len(lists), 1))
    return None


def _shape(profile: ColumnProfile) -> tuple[str, str] | None:
    if profile.is_list or profile.is_number or profile.is_timestamp:
        return None
    cells = profile.texts.drop_null()[:_LOOKED_AT].to_pylist()
    if not cells:
        return None
    for between, inside in _SHAPES:
        b, i = re.escape(between), re.escape(inside)
        one = rf"[^\s{b}]+{i}[01]"
        pattern = re.compile(rf"{one}(?:{b}{one})*")
        hits = sum(bool(pattern.fullmatch(cell)) for cell in cells)
        several = any(between in cell for cell in cells)
        if several and hits >= 0.95 * len(cells):
            return between, inside
    return None
