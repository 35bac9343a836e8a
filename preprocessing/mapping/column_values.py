"""The values of one of the contract's columns, as `source.columns` says."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.cell_match import cells_in
from preprocessing.arrays.conversion import is_text, to_array, to_time_ms
from preprocessing.arrays.formatted_times import (
    read_date_and_time,
    read_formatted_times,
)
from preprocessing.arrays.local_times import local_to_utc_ms
from preprocessing.arrays.units import to_unit_ms
from preprocessing.contract.column_mapping import ISO8601, UNITS_MS, ColumnConfig
from preprocessing.contract.column_names import TIME_COLUMNS
from preprocessing.contract.schema import MAX_TIME_MS
from preprocessing.mapping.problems import RowProblems

_PLAUSIBLE_MS = (1e12, 1e13)  # September 2001 to 2286
_EPOCH, _MS = datetime.date(1970, 1, 1), datetime.timedelta(milliseconds=1)
_EARLY_MS = 1e10  # April 1970


def column_values(
    name: str, made: ColumnConfig, table: pa.Table, problems: RowProblems
) -> pa.Array | pa.ChunkedArray:
    """One column, under no name yet.

    Args:
        name: What the contract calls it.
        made: Where it comes from.
        table: Has the log's columns that it comes from.
        problems: Told of the rows that cannot be read; these are null.
    """
    if made.constant is not None:
        return _repeated(made.constant, table.num_rows)
    if made.is_rename:
        return table[made.column]
    if made.equals is not None:
        return _flags(to_array(table[made.column]), made.equals)
    if made.date is not None:
        time = None if made.time is None else to_array(table[made.time])
        date = _as_date_text(to_array(table[made.date]))
        values, unreadable = read_date_and_time(date, _as_clock(time), made.time_zone)
        what = "a date" if time is None else "a date and a time of day"
        problems.add(unreadable, f"{name}: {' and '.join(made.sources)}: not {what}")
        return values
    column = to_array(table[made.column])
    if made.format is not None:
        values, unreadable = read_formatted_times(column, made.format, made.time_zone)
        problems.add(unreadable, f"{name}: {made.column} is no time as {made.format}")
        return values
    if made.unit in UNITS_MS:
        return _in_unit(name, made, column, problems)
    values, unreadable = _zoned(column, made)
    problems.add(unreadable, f"{name}: {made.column} is no time as ISO 8601 writes it")
    return values


def _repeated(value: Any, rows: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(rows, dtype=np.int64)))


def _flags(column: pa.Array, values: tuple[Any, ...]) -> pa.Array:
    """1 where a cell is one of the values, 0 where not, null where there is none."""
    missing = column.is_null()
    if is_text(column.type):
        missing = pc.or_(
            missing, pc.fill_null(pc.equal(pc.binary_length(column), 0), True)
        )
    elif pa.types.is_floating(column.type):
        missing = pc.or_(missing, pc.fill_null(pc.is_nan(column), True))
    found = cells_in(column, values).astype(np.int64)
    return pa.array(found, mask=missing.to_numpy(zero_copy_only=False))


def _in_unit(
    name: str, made: ColumnConfig, column: pa.Array, problems: RowProblems
) -> pa.Array:
    unit = str(made.unit)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _instants(column, None)
    if pa.types.is_duration(kind):
        return column.cast(pa.duration("ms"), safe=False).cast(pa.int64())
    values, unreadable = to_unit_ms(column, *UNITS_MS[unit])
    problems.add(
        unreadable, f"{name}: {made.column} is no number of {unit}, or too large"
    )
    if made.since is not None:
        start = (made.since - _EPOCH) // _MS
        return pc.add(values, pa.scalar(start, pa.int64()))
    if name in TIME_COLUMNS:
        _check_unit(name, made, values, problems)
    return values


def _check_unit(
    name: str, made: ColumnConfig, values: pa.Array, problems: RowProblems
) -> None:
    """Times of 1970 or after the year 9999 that another unit explains."""
    times = values.fill_null(0).to_numpy()
    strange = (times > MAX_TIME_MS) | ((times > 0) & (times < _EARLY_MS))
    if not strange.any():
        return
    numerator, denominator = UNITS_MS[str(made.unit)]
    for unit, (times_ms, in_a_ms) in UNITS_MS.items():
        as_unit = times * (denominator / numerator * times_ms / in_a_ms)
        fits = (as_unit >= _PLAUSIBLE_MS[0]) & (as_unit < _PLAUSIBLE_MS[1])
        if unit not in ("min", made.unit):
            what = f"{name}: {made.column} looks like {unit}, not {made.unit}"
            problems.add(strange & fits, what)


def _zoned(column: pa.Array, made: ColumnConfig) -> tuple[pa.Array, np.ndarray]:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _instants(column, made.time_zone), np.zeros(len(column), dtype=bool)
    if made.unit == ISO8601 and is_text(kind):
        return to_time_ms(column, made.time_zone, numbers=False)
    return to_time_ms(column, made.time_zone)


def _instants(column: pa.Array, zone: str | None) -> pa.Array:
    """Timestamps and dates in UTC milliseconds, rounded down."""
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    local = getattr(kind, "tz", None) is None
    unit = column.type.unit
    whole = column.cast(pa.int64())
    numerator, denominator = UNITS_MS[unit]
    missing = whole.is_null().to_numpy(zero_copy_only=False)
    times = np.floor_divide(whole.fill_null(0).to_numpy() * numerator, denominator)
    if zone is not None and local:
        times = local_to_utc_ms(times, zone)
    return pa.array(times, mask=missing)


def _as_date_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return column.cast(pa.date32(), safe=False).cast(pa.string())
    return column


def _as_clock(column: pa.Array | None) -> pa.Array | None:
    if column is not None and pa.types.is_time(column.type):
        return column.cast(pa.string())
    return column
