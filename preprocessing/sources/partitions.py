"""Columns that stand in the names of folders: `author_id=a7/part-0.parquet`.

Hive and Spark write the columns that a table is partitioned by there, not in the files.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote

import pyarrow as pa

_NULL = "__HIVE_DEFAULT_PARTITION__"


def folder_values(name: str) -> dict[str, str | None]:
    """The columns that the folders of a file tell, as text; of two the inner one.

    Args:
        name: The file's path below the data folder, with "/" between the parts.
    """
    folders = name.split("/")[:-1]
    pairs = (folder.partition("=") for folder in folders if "=" in folder)
    return {
        unquote(column): None if value == _NULL else unquote(value)
        for column, _, value in pairs
    }


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
