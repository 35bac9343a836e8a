"""Columns that tell nothing: they are constant, or nearly always null."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, share_text
from pipeline.log_check.numbers.gathered import Numbers
from preprocessing.contract.column_names import CONTRACT_COLUMNS, REQUIRED_COLUMNS

_NEARLY_NULL = 0.99
_LEAST_ROWS = 100


def columns(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What the values of columns speak against."""
    if numbers.examples < _LEAST_ROWS:
        return
    labels = set(config.features.label_columns)
    extras = {extra.name for extra in config.features.extra}
    for column in numbers.columns:
        if column.name in REQUIRED_COLUMNS or column.name in labels:
            continue  # labels have findings of their own
        optional = column.name in CONTRACT_COLUMNS
        if optional and column.nulls == column.rows:
            continue  # not in the log; the table says so
        where = "leave it out of features.extra" if column.name in extras else ""
        if column.null_share >= _NEARLY_NULL:
            yield Finding(
                "look",
                "null column",
                f"{column.name} is null in {share_text(column.nulls, column.rows)} of "
                "the impressions.",
                "Hardly anything can be learned of it, and it may be read wrongly.",
                f"Look at source.columns and source.null_values{_or(where)}.",
            )
        elif column.constant:
            yield Finding(
                "look" if column.name in extras else "note",
                "constant column",
                f"{column.name} is {column.example!r} in every impression.",
                "Nothing can be learned of it.",
                f"Look at source.columns{_or(where)}.",
            )


def _or(where: str) -> str:
    return f", or {where}" if where else ""
