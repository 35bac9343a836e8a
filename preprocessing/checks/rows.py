"""Impressions as dictionaries, for example from JSON, become a raw table.

A file's column has one type; here types may differ from row to row. A value that no
column can hold rejects its row only, not all rows that came with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, NamedTuple

import pyarrow as pa

from preprocessing.checks.rejects import reject_table
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import check_types, impression_schema
from preprocessing.storage.files import SourceError


class RowTable(NamedTuple):
    """Rows as a table, and those that no table can hold.

    Attributes:
        table: Under the contract's names, fit for `checks.validation.validate`; absent
            columns are null.
        rejects: By `checks.rejects.REJECT_SCHEMA`.
    """

    table: pa.Table
    rejects: pa.Table


def collect_rows(
    rows: Sequence[Mapping[str, Any]], source: str, config: FeatureConfig
) -> RowTable:
    """Collects rows into columns.

    Args:
        rows: Impressions by column name; other names are left out.
        source: Where they came from, for the rejects.
        config: Declares labels and further features.
    """
    schema = impression_schema(config)
    reasons = [_misfit(row, schema) for row in rows]
    known = list(zip(rows, reasons, strict=True))
    fit = [row for row, reason in known if not reason]
    bad = [_printable(row) for row, reason in known if reason]
    reasons = [reason for reason in reasons if reason]
    columns = [_column([row.get(f.name) for row in fit], f, config) for f in schema]
    return RowTable(
        pa.Table.from_arrays(columns, names=schema.names),
        reject_table(bad, reasons, [source] * len(bad)),
    )


def _misfit(row: Mapping[str, Any], schema: pa.Schema) -> str:
    """Why no column can hold one of the row's values; "" if all can be held."""
    for field in schema:
        value = row.get(field.name)
        listed = pa.types.is_list(field.type)
        values = value if listed and isinstance(value, list | tuple) else [value]
        if any(not _is_scalar(element) for element in values):
            return f"{field.name} is neither text nor a number"
    return ""


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | bytes | bool | int | float)


def _column(values: list[Any], field: pa.Field, config: FeatureConfig) -> pa.Array:
    """The values in their own type if they have one; else as text, like a CSV file."""
    try:
        column = pa.array(values)
        check_types(pa.schema([pa.field(field.name, column.type)]), "", config)
    except (pa.ArrowException, OverflowError, SourceError, UnicodeError):
        return pa.array([_text(value) for value in values], pa.binary())
    return column


def _text(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, list | tuple):
        return b",".join(_text(element) or b"" for element in value)
    if isinstance(value, float) and value != value:
        return None
    return str(value).encode(errors="surrogatepass")


def _printable(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row in text that UTF-8 can hold."""
    return {
        str(name).encode(errors="backslashreplace").decode(): (
            value if isinstance(value, bool | int | float | NoneType) else ascii(value)
        )
        for name, value in row.items()
    }
