"""Every raw row becomes an accepted impression or a reject with its reason."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import convert, is_utf8, to_array, to_float64
from preprocessing.arrays.days import day_of, local_day, time_text
from preprocessing.checks.rejects import reject_table
from preprocessing.checks.times import implausible_times
from preprocessing.contract.column_names import (
    EVENT_TIME,
    FLAG_COLUMNS,
    PRIOR_VIEWS,
    SOURCE_PROBLEM,
    TIME_COLUMNS,
    WATCH_COLUMNS,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import MAX_TIME_MS, impression_schema, traced_schema

_INT64 = (-(2.0**63), 2.0**63 - 1024)  # the ends that float64 holds


class Validated(NamedTuple):
    """The two outcomes of a raw table; their rows add up to its rows.

    Attributes:
        accepted: By `contract.schema.traced_schema`.
        rejects: By `checks.rejects.REJECT_SCHEMA`; each names the first broken rule.
    """

    accepted: pa.Table
    rejects: pa.Table


def validate(
    raw: pa.Table,
    source: str,
    first_row: int,
    config: FeatureConfig,
    watermark_ms: int | None = None,
    latest_ms: int | None = None,
) -> Validated:
    """Splits a raw table into accepted impressions and rejects.

    Args:
        raw: Rows as the file holds them, under the contract's names; optional columns
            may be absent, text cells are read as numbers where numbers are expected. A
            row that has a `SOURCE_PROBLEM` is rejected for it.
            `contract.schema.check_columns` and `check_types` have passed its file.
        source: The file's name.
        first_row: Number of the table's first row within the file.
        config: Declares labels and further features.
        watermark_ms: Time of the latest impression of the state that the log starts
            from, UTC; None without a state. Rows at or before it are rejected, because
            the past before them is no longer known.
        latest_ms: The latest time that an impression can have, UTC; None for any. Rows
            after it are rejected, unless `last_day` says what the log's end is.
    """
    reasons = _Reasons(raw.num_rows)
    if SOURCE_PROBLEM in raw.column_names:
        raw = _note_problems(reasons, raw)
    columns = []
    for field in impression_schema(config):
        if field.name in raw.column_names:
            column = to_array(raw[field.name])
        else:
            column = pa.nulls(raw.num_rows)
        values, unreadable = convert(column, field.type, field.name in TIME_COLUMNS)
        _check_readable(reasons, field, column, unreadable)
        _check(reasons, field, values, unreadable, config)
        if field.name == EVENT_TIME:
            _check_time(reasons, values, config, watermark_ms, latest_ms)
        columns.append(values)
    columns.append(pa.array([source] * raw.num_rows, pa.string()))
    columns.append(pa.array(np.arange(first_row, first_row + raw.num_rows)))
    table = pa.Table.from_arrays(columns, names=traced_schema(config).names)
    good = pa.array(reasons.code < 0)
    accepted = table.filter(good).cast(traced_schema(config))
    return Validated(accepted, _rejects(raw, source, reasons))


class _Reasons:
    """The first reason found against each row, as an index into `names`, else -1."""

    def __init__(self, rows: int):
        self.code = np.full(rows, -1, dtype=np.int32)
        self.names: list[str] = []

    def add(self, broken: np.ndarray, reason: str) -> None:
        if broken.any():
            self.code[broken & (self.code < 0)] = len(self.names)
            self.names.append(reason)


def _note_problems(reasons: _Reasons, raw: pa.Table) -> pa.Table:
    """Takes over what was found before rows had the contract's columns."""
    problems = to_array(raw[SOURCE_PROBLEM])
    for problem in pc.unique(problems.drop_null()).to_pylist():
        broken = pc.fill_null(pc.equal(problems, problem), False)
        reasons.add(broken.to_numpy(zero_copy_only=False), problem)
    return raw.drop([SOURCE_PROBLEM])


def _check_readable(
    reasons: _Reasons, field: pa.Field, raw: pa.Array, unreadable: np.ndarray
) -> None:
    """Why cells could not be read: the most that can be said of each."""
    name = field.name
    if not unreadable.any():
        return
    if pa.types.is_string(field.type) or pa.types.is_list(field.type):
        not_text = unreadable & ~is_utf8(raw)
        reasons.add(not_text, f"{name} is not UTF-8 text")
        reasons.add(unreadable, f"{name} is no flat list in a notation that is read")
        return
    if pa.types.is_integer(field.type):
        numbers = np.full(len(unreadable), np.nan)
        numbers[unreadable] = to_float64(raw.filter(pa.array(unreadable)))
        if name in TIME_COLUMNS:
            times = np.nan_to_num(np.clip(numbers, *_INT64)).astype(np.int64)
            for broken, problem in implausible_times(times):
                fits = np.abs(numbers) < _INT64[1]
                reasons.add(broken & fits, f"{name} {problem}")
        fraction = np.isfinite(numbers) & (np.floor(numbers) != numbers)
        reasons.add(fraction, f"{name} is not a whole number")
        reasons.add(np.abs(numbers) >= _INT64[1], f"{name} is out of range")
    elif pa.types.is_floating(field.type):
        infinite = np.zeros(len(unreadable), dtype=bool)
        infinite[unreadable] = ~np.isnan(to_float64(raw.filter(pa.array(unreadable))))
        reasons.add(infinite, f"{name} is infinite, or beyond what float32 holds")
    reasons.add(unreadable, f"{name} is not a number")


def _check(
    reasons: _Reasons,
    field: pa.Field,
    values: pa.Array,
    unreadable: np.ndarray,
    config: FeatureConfig,
) -> None:
    name = field.name
    if not field.nullable:
        missing = values.is_null().to_numpy(zero_copy_only=False)
        reasons.add(missing & ~unreadable, f"{name} is missing")
    if not pa.types.is_integer(values.type):
        return
    known = values.is_valid().to_numpy(zero_copy_only=False)
    numbers = values.fill_null(0).to_numpy()
    flags = {*FLAG_COLUMNS, *config.label_columns} - {*config.graded_columns}
    if name in flags:
        reasons.add(known & ~np.isin(numbers, (0, 1)), f"{name} is not 0 or 1")
    elif name in (*WATCH_COLUMNS, PRIOR_VIEWS):
        reasons.add(numbers < 0, f"{name} is negative")
        reasons.add(numbers > MAX_TIME_MS, f"{name} is out of range")
    elif name in TIME_COLUMNS:
        for broken, problem in implausible_times(numbers):
            reasons.add(broken, f"{name} {problem}")


def _check_time(
    reasons: _Reasons,
    values: pa.Array,
    config: FeatureConfig,
    watermark_ms: int | None,
    latest_ms: int | None,
) -> None:
    """Rows outside of the time that the log is for."""
    times = values.fill_null(0).to_numpy()
    if watermark_ms is not None:
        last = time_text(watermark_ms)
        late = f"{EVENT_TIME} is not after the state's last impression, {last}"
        reasons.add(times <= watermark_ms, late)
    if config.last_day is not None:
        day = local_day(times, config.calendar)
        after = day > day_of(config.last_day)
        reasons.add(after, f"{EVENT_TIME} is after {config.last_day} (last_day)")
    elif latest_ms is not None:
        ahead = (
            f"{EVENT_TIME} is in the future: after {time_text(latest_ms)}, a day from "
            "now (features.last_day sets another end)"
        )
        reasons.add((times > latest_ms) & (times <= MAX_TIME_MS), ahead)


# How many of a timestamp's units a millisecond has.
_IN_A_MS = {"s": 1e-3, "ms": 1, "us": 1000}
_MOST_MS_BEFORE_1970 = 62_135_596_800_000  # from the year 1 on


def _rejects(raw: pa.Table, source: str, reasons: _Reasons) -> pa.Table:
    rows = np.flatnonzero(reasons.code >= 0)
    names = [reasons.names[code] for code in reasons.code[rows]]
    rejected = raw.take(pa.array(rows))
    columns = [_as_cells(to_array(column)) for column in rejected.columns]
    cells = pa.Table.from_arrays(columns, names=rejected.column_names).to_pylist()
    return reject_table(cells, names, [source] * len(rows))


def _as_cells(column: pa.Array) -> pa.Array:
    """What Python can hold: texts, which need not be UTF-8, as bytes.

    Times are the numbers that they are stored as, if Python's calendar lacks one.
    """
    if pa.types.is_timestamp(column.type) and column.type.unit != "ns":
        stored = column.cast(pa.int64())
        in_a_ms = _IN_A_MS[column.type.unit]
        early = pc.less(stored, int(-_MOST_MS_BEFORE_1970 * in_a_ms))
        late = pc.greater(stored, int(MAX_TIME_MS * in_a_ms))
        return stored if pc.any(pc.or_(early, late)).as_py() else column
    if pa.types.is_string(column.type):
        return column.cast(pa.binary())
    listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    if listed and pa.types.is_string(column.type.value_type):
        return column.cast(pa.list_(pa.binary()))
    return column
