"""Every raw row becomes an accepted impression or a reject with its reason."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import (
    Converted,
    plain,
    to_float32,
    to_int64,
    to_text,
    to_text_list,
)
from preprocessing.arrays.days import local_day
from preprocessing.contract.column_names import (
    EVENT_TIME,
    FIRST_LAUNCH,
    FLAG_COLUMNS,
    PRIOR_VIEWS,
    UPLOAD,
    WATCH_COLUMNS,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import (
    MAX_TIME_MS,
    REJECT_SCHEMA,
    impression_schema,
    traced_schema,
)
from preprocessing.state.files import StateInfo

_EPOCH = datetime.date(1970, 1, 1)


class Validated(NamedTuple):
    """The two outcomes of a raw table; their rows add up to its rows.

    Attributes:
        accepted: By `contract.traced_schema`.
        rejects: By `contract.REJECT_SCHEMA`; a row names the first broken rule.
    """

    accepted: pa.Table
    rejects: pa.Table


def validate(
    raw: pa.Table,
    source: str,
    first_row: int,
    config: FeatureConfig,
    state: StateInfo | None = None,
) -> Validated:
    """Splits a raw table into accepted impressions and rejects.

    Args:
        raw: Rows as the file holds them, under the contract's names; optional columns
            may be absent, text cells are read as numbers where numbers are expected.
            `contract.check_columns` and `check_types` have passed its file.
        source: The file's name.
        first_row: Number of the table's first row within the file.
        config: Declares labels and further features.
        state: Of the state that the log goes on from: rows that are not later than all
            of it are rejects, since what was known before them is not known any more.
    """
    reasons = _Reasons(raw.num_rows)
    columns = []
    for field in impression_schema(config):
        if field.name in raw.column_names:
            column = plain(raw[field.name])
        else:
            column = pa.nulls(raw.num_rows, field.type)
        if column.type != field.type and pa.types.is_null(column.type):
            column = pa.nulls(raw.num_rows, field.type)
        values, unreadable = _converter(field.type)(column)
        _check(reasons, field, values, unreadable, config)
        if field.name == EVENT_TIME:
            _check_time(reasons, values, config, state)
        columns.append(values)
    columns.append(pa.array([source] * raw.num_rows, pa.string()))
    columns.append(pa.array(np.arange(first_row, first_row + raw.num_rows)))
    table = pa.Table.from_arrays(columns, names=traced_schema(config).names)
    good = pa.array(reasons.code < 0)
    accepted = table.filter(good).cast(traced_schema(config))
    return Validated(accepted, _rejects(raw, source, reasons))


def reject_table(
    rows: list[dict[str, Any]], reason: list[str], source: list[str]
) -> pa.Table:
    """Rejects, one a row; rows are kept as JSON."""
    texts = [
        json.dumps(_jsonable(row), ensure_ascii=False, default=str) for row in rows
    ]
    return pa.Table.from_arrays(
        [pa.array(column, pa.string()) for column in (texts, reason, source)],
        schema=REJECT_SCHEMA,
    )


class _Reasons:
    """The first reason found against each row, as an index into `names`, else -1."""

    def __init__(self, rows: int):
        self.code = np.full(rows, -1, dtype=np.int32)
        self.names: list[str] = []

    def add(self, broken: np.ndarray, reason: str) -> None:
        if broken.any():
            self.code[broken & (self.code < 0)] = len(self.names)
            self.names.append(reason)


def _converter(kind: pa.DataType) -> Callable[[pa.Array], Converted]:
    if pa.types.is_list(kind):
        return to_text_list
    if pa.types.is_string(kind):
        return to_text
    return to_float32 if pa.types.is_floating(kind) else to_int64


def _check(
    reasons: _Reasons,
    field: pa.Field,
    values: pa.Array,
    unreadable: np.ndarray,
    config: FeatureConfig,
) -> None:
    name = field.name
    text = pa.types.is_string(field.type) or pa.types.is_list(field.type)
    reasons.add(unreadable, f"{name} is not {'UTF-8 text' if text else 'a number'}")
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
    elif name in (EVENT_TIME, FIRST_LAUNCH, UPLOAD):
        out = (numbers < 0) | (numbers > MAX_TIME_MS)
        reasons.add(out, f"{name} is out of range (milliseconds from 1970 to 9999)")


def _check_time(
    reasons: _Reasons, values: pa.Array, config: FeatureConfig, state: StateInfo | None
) -> None:
    """Rows outside of the time that the log is for."""
    times = values.fill_null(0).to_numpy()
    if state is not None:
        late = f"{EVENT_TIME} is not after the state's last impression, {state.through}"
        reasons.add(times <= state.through_ms, late)
    if config.last_day is not None:
        last = (config.last_day - _EPOCH).days
        after = local_day(times, config.utc_offset_hours) > last
        reasons.add(after, f"{EVENT_TIME} is after {config.last_day} (last_day)")


def _rejects(raw: pa.Table, source: str, reasons: _Reasons) -> pa.Table:
    rows = np.flatnonzero(reasons.code >= 0)
    names = [reasons.names[code] for code in reasons.code[rows]]
    rejected = raw.take(pa.array(rows))
    columns = [_as_bytes(plain(column)) for column in rejected.columns]
    cells = pa.Table.from_arrays(columns, names=rejected.column_names).to_pylist()
    return reject_table(cells, names, [source] * len(rows))


def _as_bytes(column: pa.Array) -> pa.Array:
    """Texts as bytes: those of a file need not be UTF-8."""
    if pa.types.is_string(column.type):
        return column.cast(pa.binary())
    listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    if listed and pa.types.is_string(column.type.value_type):
        return column.cast(pa.list_(pa.binary()))
    return column


def _jsonable(row: dict[str, Any]) -> dict[str, Any]:
    """Without NaN, which has no place in JSON, and with bytes as text."""
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, list):
        return [_plain_value(element) for element in value]
    return None if value != value else value
