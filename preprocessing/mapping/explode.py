"""One row per entry of a column that holds lists of impressions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import is_text, to_array
from preprocessing.arrays.lists import list_lengths, make_lists, offsets_of
from preprocessing.contract.source_config import ExplodeConfig
from preprocessing.mapping.problems import RowProblems

# Rows of a file are numbered so many apart, so that each entry has a number of its own.
ENTRIES_APART = 1 << 20


def explode(
    table: pa.Table, config: ExplodeConfig, kept: set[str]
) -> tuple[pa.Table, RowProblems]:
    """Rows as many as entries, with the entries' parts as columns.

    A row without entries stays one row, whose fields are null; an entry that does not
    have as many parts as there are fields stands whole in the first one. Both are
    problems.

    Args:
        table: Rows as a file has them. `config.column` holds text, lists of text or
            numbers, or lists of structures with the fields' names.
        config: Says how.
        kept: Columns to hand on beside the fields.
    """
    column = to_array(table[str(config.column)])
    if is_text(column.type):
        column = pc.split_pattern(_without_blanks(column), config.separator)
    elif is_text(column.type.value_type):
        column = _divided(column, config.separator)
    lengths = list_lengths(column)
    entries = column.flatten()
    rows = np.repeat(np.arange(len(lengths)), np.maximum(lengths, 1))
    if not lengths.all():  # a null entry for each row without one
        starts = offsets_of(np.maximum(lengths, 1))[:-1]
        of_entry = np.ones(len(rows), dtype=bool)
        of_entry[starts[lengths == 0]] = False
        place = np.cumsum(of_entry) - 1
        entries = entries.take(pa.array(place, mask=~of_entry))
    problems = RowProblems(len(rows))
    names = "-".join(config.fields)
    empty = entries.is_null().to_numpy(zero_copy_only=False)
    problems.add(empty, f"{config.column} has no impressions")
    fields, broken = _parts(entries, config)
    problems.add(broken & ~empty, f"{config.column} has an entry that is not {names}")
    taken = pa.array(rows)
    columns = {
        name: to_array(table[name]).take(taken)
        for name in table.column_names
        if name in kept and name not in config.fields
    }
    return pa.table({**columns, **fields}), problems


def _divided(lists: pa.Array, separator: str) -> pa.Array:
    """Lists whose texts are divided in turn: a list may hold all entries in one."""
    inner = pc.split_pattern(_without_blanks(lists.flatten()), separator)
    counts = np.maximum(list_lengths(inner), 1)
    if (counts == 1).all():
        return lists
    each = pc.fill_null(inner, [None]).flatten()
    ends = offsets_of(counts)[offsets_of(list_lengths(lists))]
    return make_lists(ends, each)


def _without_blanks(cells: pa.Array) -> pa.Array:
    """Cells without blanks around them; null where nothing is left."""
    cells = cells.cast(pa.binary())
    cells = pc.replace_substring_regex(cells, pattern=r"^\s+|\s+$", replacement="")
    blank = pc.equal(pc.binary_length(cells), 0)
    return pc.if_else(blank, pa.scalar(None, pa.binary()), cells)


def _parts(
    entries: pa.Array, config: ExplodeConfig
) -> tuple[dict[str, pa.Array], np.ndarray]:
    """The fields of entries by name, and which entries do not have them."""
    names = config.fields
    if pa.types.is_struct(entries.type):
        flat = dict(
            zip((field.name for field in entries.type), entries.flatten(), strict=True)
        )
        return {name: flat[name] for name in names}, np.zeros(len(entries), dtype=bool)
    if len(names) == 1:
        return {names[0]: entries}, np.zeros(len(entries), dtype=bool)
    parts = pc.split_pattern(entries.cast(pa.binary()), config.field_separator)
    counts = list_lengths(parts)
    whole = counts == len(names)
    starts = offsets_of(counts)[:-1]
    flat = parts.flatten()
    fields = {
        name: flat.take(pa.array(starts + i, mask=~whole))
        for i, name in enumerate(names)
    }
    fields[names[0]] = pc.if_else(pa.array(whole), fields[names[0]], entries)
    return fields, ~whole
