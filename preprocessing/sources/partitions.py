"""Rows with the columns that stand in the names of a file's folders."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from preprocessing.storage.folder_columns import folder_values


def with_folder_columns(rows: pa.Table, name: str, wanted: Collection[str]) -> pa.Table:
    """Adds the wanted columns that only the folders tell.

    Args:
        rows: Of a file; a column that is in it stays.
        name: The file's path below the data folder.
        wanted: Names of the columns that are read.
    """
    for column, value in folder_values(name).items():
        if column in wanted and column not in rows.column_names:
            values = pa.array([value] * rows.num_rows, pa.string())
            rows = rows.append_column(column, values)
    return rows
