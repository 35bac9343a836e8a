"""How tables are laid out in Parquet: what is worth a dictionary, and statistics."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from preprocessing.contract.column_names import EVENT_TIME, PLAY_TIME

_RARELY_REPEATED = (EVENT_TIME, PLAY_TIME)


def parquet_layout(schema: pa.Schema) -> dict[str, Any]:
    """Arguments for `pq.ParquetWriter`.

    Texts and whole numbers get dictionaries, but numbers that hardly repeat do not:
    a dictionary of them is built, found too large and thrown away. A list has no
    statistics, since no reader skips row groups by an element of a history.

    Args:
        schema: Of the tables.
    """
    return {
        "use_dictionary": [_leaf(field) for field in schema if _repeats(field)],
        "write_statistics": [
            field.name for field in schema if not pa.types.is_list(field.type)
        ],
    }


def _repeats(field: pa.Field) -> bool:
    listed = pa.types.is_list(field.type)
    kind = field.type.value_type if listed else field.type
    if pa.types.is_integer(kind):
        return not listed and field.name not in _RARELY_REPEATED
    return pa.types.is_string(kind) or pa.types.is_dictionary(kind)


def _leaf(field: pa.Field) -> str:
    """The path of the field's values in a Parquet schema."""
    if pa.types.is_list(field.type):
        return f"{field.name}.list.{field.type.value_field.name}"
    return field.name
