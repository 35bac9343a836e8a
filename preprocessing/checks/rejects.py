"""Rejects: rows that broke the contract, each with its reason and its file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from preprocessing.contract.column_names import SOURCE_FILE, SOURCE_ROW

REJECT_SCHEMA = pa.schema(
    [
        pa.field("row", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)
MALFORMED = "the line has another number of cells than the header"
UNCLOSED = "the line has a quote that is not closed, or is longer than 64 MiB"


def reject_table(
    rows: list[dict[str, Any]], reasons: Sequence[str], sources: Sequence[str]
) -> pa.Table:
    """Rejects, one per row.

    Args:
        rows: Their values by column; kept as JSON.
        reasons: Why each was rejected.
        sources: The file that each is from.

    Returns:
        By `REJECT_SCHEMA`.
    """
    texts = [
        json.dumps(_jsonable(row), ensure_ascii=False, default=str) for row in rows
    ]
    return pa.Table.from_arrays(
        [pa.array(column, pa.string()) for column in (texts, reasons, sources)],
        schema=REJECT_SCHEMA,
    )


def reject_lines(lines: Sequence[str], reason: str, source: str) -> pa.Table:
    """Rejects of lines that hold no row.

    Args:
        lines: The lines' text.
        reason: Why they were rejected.
        source: The file that they are from.

    Returns:
        By `REJECT_SCHEMA`; `row` is the line as `{"line": ...}`.
    """
    count = len(lines)
    rows = [{"line": line} for line in lines]
    return reject_table(rows, [reason] * count, [source] * count)


def reject_impressions(impressions: pa.Table, reasons: Sequence[str]) -> pa.Table:
    """Rejects of impressions that had been accepted.

    Args:
        impressions: By `contract.schema.traced_schema`, further columns are kept.
        reasons: Why each was rejected.

    Returns:
        By `REJECT_SCHEMA`.
    """
    rows = impressions.drop([SOURCE_FILE, SOURCE_ROW]).to_pylist()
    return reject_table(rows, reasons, impressions[SOURCE_FILE].to_pylist())


def _jsonable(row: dict[str, Any]) -> dict[str, Any]:
    """The row without NaN, which JSON does not have, and with bytes as text."""
    return {name: _jsonable_value(value) for name, value in row.items()}


def _jsonable_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, list):
        return [_jsonable_value(element) for element in value]
    return None if value != value else value
