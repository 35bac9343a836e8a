"""Each column's nulls, distinct values and range."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array

MOST_DISTINCT = 1000  # that are counted; more are "more"


@dataclass(frozen=True)
class ColumnValues:
    """What a column holds.

    Attributes:
        name: The column.
        kind: Its type, in words.
        rows: Impressions.
        nulls: Those without a value; of lists also the empty ones.
        distinct: Distinct values, of lists distinct entries; None for more than
            `MOST_DISTINCT`.
        least: The least value, of numbers; None of others or without any.
        greatest: The greatest one.
        example: A value, as text; empty without any.
    """

    name: str
    kind: str
    rows: int
    nulls: int
    distinct: int | None
    least: float | None
    greatest: float | None
    example: str

    @property
    def constant(self) -> bool:
        """Whether all rows hold the same value, no null among them."""
        return self.distinct == 1 and not self.nulls

    @property
    def null_share(self) -> float:
        """Share of the rows without a value."""
        return self.nulls / self.rows if self.rows else 0.0


class ColumnCounts:
    """Counts values of columns.

    Args:
        schema: Fields of the columns that are counted.
    """

    def __init__(self, schema: Sequence[pa.Field]):
        self._lock = threading.Lock()
        self._columns = {field.name: _Column(field.type) for field in schema}

    def add(self, table: pa.Table) -> None:
        """Takes rows of the feature table."""
        for name, column in self._columns.items():
            part = _Column(column.kind)
            with self._lock:
                full = column.distinct is None
            part.count(to_array(table[name]), full)
            with self._lock:
                column.merge(part)

    def result(self) -> list[ColumnValues]:
        """What each column holds, in the schema's order."""
        return [column.result(name) for name, column in self._columns.items()]


class _Column:
    """A column's counts."""

    def __init__(self, kind: pa.DataType):
        self.kind = kind
        self.rows = self.nulls = 0
        self.distinct: set[object] | None = set()
        self.least: float | None = None
        self.greatest: float | None = None
        self.example = ""

    def count(self, column: pa.Array, full: bool) -> None:
        """Counts rows; distinct ones only where there were not too many already."""
        self.rows = len(column)
        if pa.types.is_list(column.type):
            empty = pc.equal(pc.list_value_length(column), 0)
            self.nulls = column.null_count + (pc.sum(empty).as_py() or 0)
            column = column.flatten()
        else:
            self.nulls = column.null_count
        column = column.drop_null()
        if not len(column):
            return
        self.example = str(column[0].as_py())
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            ends = pc.min_max(column).as_py()
            self.least, self.greatest = ends["min"], ends["max"]
        self.distinct = None if full else _distinct(column)

    def merge(self, other: _Column) -> None:
        self.rows += other.rows
        self.nulls += other.nulls
        # Of several blocks the first in the order of texts, whichever came first.
        self.example = min(filter(None, (self.example, other.example)), default="")
        if self.distinct is not None and other.distinct is not None:
            self.distinct |= other.distinct
        else:
            self.distinct = None
        if self.distinct is not None and len(self.distinct) > MOST_DISTINCT:
            self.distinct = None
        self.least = min(_known(self.least, other.least), default=None)
        self.greatest = max(_known(self.greatest, other.greatest), default=None)

    def result(self, name: str) -> ColumnValues:
        distinct = None if self.distinct is None else len(self.distinct)
        return ColumnValues(
            name,
            _kind_in_words(self.kind),
            self.rows,
            self.nulls,
            distinct,
            self.least,
            self.greatest,
            self.example,
        )


def _distinct(column: pa.Array) -> set[object] | None:
    if len(column) > 2 * MOST_DISTINCT:
        head = pc.count_distinct(column[: 2 * MOST_DISTINCT]).as_py()
        if head > MOST_DISTINCT:
            return None
    values = pc.unique(column)
    return set(values.to_pylist()) if len(values) <= MOST_DISTINCT else None


def _known(*values: float | None) -> list[float]:
    return [value for value in values if value is not None]


def _kind_in_words(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "list"
    if pa.types.is_integer(kind):
        return "whole number"
    return "number" if pa.types.is_floating(kind) else "text"
