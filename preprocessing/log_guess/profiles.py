"""What can be said of a column by its cells alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_float64

_SHOWN = 3
_TOP = 40
_LONGEST_SHOWN = 24


@dataclass(frozen=True)
class ColumnProfile:
    """A column of a sample.

    Attributes:
        name: As the log calls it; made up where the log has no header.
        place: Its place among the log's columns, from 0.
        cells: As read [rows].
        named: Whether the log gave the name.
    """

    name: str
    place: int
    cells: pa.Array
    named: bool = True

    @property
    def rows(self) -> int:
        """Rows of the sample."""
        return len(self.cells)

    @cached_property
    def is_list(self) -> bool:
        """Whether cells are lists."""
        kind = self.cells.type
        return pa.types.is_list(kind) or pa.types.is_large_list(kind)

    @cached_property
    def is_timestamp(self) -> bool:
        """Whether the file itself says that cells are times."""
        return pa.types.is_timestamp(self.cells.type)

    @cached_property
    def texts(self) -> pa.Array:
        """The cells as text [rows], whole decimals without their zeros."""
        kind = self.cells.type
        if self.is_list:
            lists = self.cells.to_pylist()
            return pa.array([None if x is None else str(x) for x in lists], pa.string())
        if pa.types.is_null(kind):
            return pa.nulls(self.rows, pa.string())
        if pa.types.is_dictionary(kind):
            return self.cells.cast(kind.value_type).cast(pa.string())
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            decoded = (
                None if cell is None else cell.decode("utf-8", errors="replace")
                for cell in self.cells.to_pylist()
            )
            return pa.array(list(decoded), pa.string())
        if pa.types.is_decimal(kind):
            return pa.array(
                [None if x is None else str(x) for x in self.cells.to_pylist()],
                pa.string(),
            )
        return self.cells.cast(pa.string())

    @cached_property
    def known(self) -> np.ndarray:
        """Which cells are no nulls, bool [rows]."""
        return self.texts.is_valid().to_numpy(zero_copy_only=False)

    @cached_property
    def codes(self) -> np.ndarray:
        """Each cell's place among the distinct ones, int64 [rows]; -1 for nulls."""
        indices = self.texts.dictionary_encode().indices
        return indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The cells as numbers, float64 [rows]; NaN for what is none."""
        kind = self.cells.type
        if self.is_list or pa.types.is_null(kind) or pa.types.is_temporal(kind):
            return np.full(self.rows, np.nan)
        if pa.types.is_boolean(kind):
            return (
                self.cells.cast(pa.int8())
                .cast(pa.float64())
                .to_numpy(zero_copy_only=False)
            )
        return to_float64(self.texts)

    @cached_property
    def null_share(self) -> float:
        """Share of cells that are null."""
        return 1.0 - float(self.known.mean()) if self.rows else 1.0

    @cached_property
    def distinct(self) -> int:
        """How many different cells the sample has, nulls aside."""
        return int(self.codes.max(initial=-1)) + 1

    @cached_property
    def number_share(self) -> float:
        """Share of the cells that are numbers, nulls aside."""
        return self._share(~np.isnan(self.numbers))

    @cached_property
    def is_number(self) -> bool:
        """Whether practically all cells are numbers."""
        return self.distinct > 0 and self.number_share >= 0.99

    @cached_property
    def is_whole(self) -> bool:
        """Whether practically all cells are whole numbers."""
        values = self.numbers[~np.isnan(self.numbers)]
        return self.is_number and float((values == np.floor(values)).mean()) >= 0.99

    @cached_property
    def is_flag(self) -> bool:
        """Whether cells are 0 and 1 (or false and true) alone, both of them."""
        values = set(self.values)
        return values in ({"0", "1"}, {"false", "true"}, {"0.0", "1.0"}) or (
            self.is_number and set(np.unique(self._finite)) == {0.0, 1.0}
        )

    @cached_property
    def low(self) -> float:
        """The smallest number; NaN without any."""
        return float(self._finite.min()) if len(self._finite) else float("nan")

    @cached_property
    def high(self) -> float:
        """The largest number; NaN without any."""
        return float(self._finite.max()) if len(self._finite) else float("nan")

    @cached_property
    def values(self) -> Mapping[str, int]:
        """The most frequent cells as small text, and how often each is there."""
        counts = pc.value_counts(self.texts.drop_null()).to_pylist()
        counts.sort(key=lambda each: -each["counts"])
        return {each["values"].lower(): each["counts"] for each in counts[:_TOP]}

    @cached_property
    def mean_length(self) -> float:
        """Letters of a cell."""
        return float(pc.mean(pc.utf8_length(self.texts)).as_py() or 0.0)

    @property
    def facts(self) -> str:
        """Nulls, distinct values and the range, in a few words."""
        nulls = f"{self.null_share:.0%} null, " if self.null_share >= 0.005 else ""
        if self.is_number and not self.is_flag:
            span = f"{_short(self.low)} to {_short(self.high)}"
        else:
            first = list(dict.fromkeys(self.texts.drop_null()[:200].to_pylist()))
            span = ", ".join(_cut(cell) for cell in first[:_SHOWN])
            span += ", ..." if self.distinct > _SHOWN else ""
        return f"{nulls}{self.distinct:,} distinct: {span}"

    @property
    def _finite(self) -> np.ndarray:
        return self.numbers[np.isfinite(self.numbers)]

    def _share(self, holds: np.ndarray) -> float:
        known = int(self.known.sum())
        return float((holds & self.known).sum()) / known if known else 0.0


def profile_columns(table: pa.Table, named: bool) -> list[ColumnProfile]:
    """A profile of each column of a table."""
    return [
        ColumnProfile(name, place, _one_array(table.column(place)), named)
        for place, name in enumerate(table.column_names)
    ]


def pair_count(first: np.ndarray, second: np.ndarray) -> int:
    """How many different pairs two columns of codes have, nulls aside."""
    both = (first >= 0) & (second >= 0)
    width = int(second.max(initial=0)) + 1
    return len(np.unique(first[both] * width + second[both]))


def decides(key: ColumnProfile, other: ColumnProfile) -> float:
    """How far a key decides another column.

    Keys that have the column's most frequent value alone prove nothing: of a flag that
    is hardly ever set nearly all are of that kind.

    Returns:
        The share of keys with one value alone, among those with two rows or more and
        another value than the most frequent one; 0.0 without such keys.
    """
    both = (key.codes >= 0) & (other.codes >= 0)
    keys, values = key.codes[both], other.codes[both]
    if not len(keys):
        return 0.0
    rows = np.bincount(keys)
    width = int(values.max()) + 1
    pairs = np.unique(keys * width + values)
    kinds = np.bincount(pairs // width, minlength=len(rows))
    usual = int(np.bincount(values).argmax())
    unusual = np.bincount(keys, weights=values != usual, minlength=len(rows)) > 0
    repeated = (rows > 1) & unusual
    return float((kinds[repeated] == 1).mean()) if repeated.any() else 0.0


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        chunks = combined.chunks
        return chunks[0] if chunks else pa.array([], column.type)
    return combined


def _short(number: float) -> str:
    if number == int(number) and abs(number) < 1e16:
        return f"{int(number)}"
    return f"{number:.4g}"


def _cut(cell: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in cell)
    return (
        shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 3] + "..."
    )
