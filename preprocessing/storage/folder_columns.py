"""Columns that stand in the names of folders: `author_id=a7/part-0.parquet`.

Hive and Spark write the columns that a table is partitioned by there, not in the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

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


def folder_name(values: Mapping[str, str | None]) -> str:
    """The folders that tell some columns, so that `folder_values` reads them.

    Args:
        values: Text by column; None where there is no value.
    """
    return "/".join(
        f"{quote(column, safe='')}={_NULL if value is None else quote(value, safe='')}"
        for column, value in values.items()
    )
