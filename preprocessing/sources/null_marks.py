r"""Cells that mean "no value": `\N` of databases, `None` and `nan` of data frames.

Formats that have nulls hold them too, where a column was made text before it was
written.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array

_TEXTS = (pa.string(), pa.binary())


def without_null_marks(rows: pa.Table, marks: Sequence[str]) -> pa.Table:
    """Puts nulls for the cells of text columns that are one of the marks.

    Args:
        rows: As a file holds them; lists and numbers stay as they are.
        marks: `SourceConfig.null_values`.
    """
    if not marks:
        return rows
    null_values = pa.array([mark.encode() for mark in marks], pa.binary())
    for index, name in enumerate(rows.column_names):
        column = to_array(rows[name])
        if column.type not in _TEXTS:
            continue
        marked = pc.is_in(column.cast(pa.binary()), value_set=null_values)
        if pc.any(marked).as_py():
            values = pc.if_else(marked, pa.scalar(None, column.type), column)
            rows = rows.set_column(index, name, values)
    return rows
