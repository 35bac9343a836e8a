"""Which cells are one of some values, in whatever type the column has."""

from __future__ import annotations

import decimal
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import is_text, to_array, to_float64

_TRUE, _FALSE = "true", "false"
Value = bool | int | float | str


def cells_in(column: pa.Array, values: Sequence[Value]) -> np.ndarray:
    """Which cells are one of the values, bool [rows]; a null is none.

    Texts are compared as texts; a cell that is a number, be it in a text column, also
    with the numbers among the values (`1.0` is `1`, and so is `true`).

    Args:
        column: Texts, bytes, numbers, booleans, dates or timestamps.
        values: The values.
    """
    column = to_array(column)
    kind = column.type
    if pa.types.is_null(kind):
        return np.zeros(len(column), dtype=bool)
    if is_text(kind):
        return _texts_in(column.cast(pa.binary()), values)
    numbers = [number for value in values if (number := _number(value)) is not None]
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind):
        whole = [int(number) for number in numbers if number == int(number)]
        wanted = [number for number in whole if _fits(number, kind)]
        return _is_in(column, pa.array(wanted, kind))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        cells = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.isin(cells, [float(number) for number in numbers])
    return _texts_in(column.cast(pa.string()).cast(pa.binary()), values)


def _texts_in(cells: pa.Array, values: Sequence[Value]) -> np.ndarray:
    texts = pa.array([_text(value).encode() for value in values], pa.binary())
    numbers = [float(value) for value in values if not isinstance(value, str)]
    if not numbers:
        return _is_in(cells, texts)
    encoded = cells.dictionary_encode()
    each = encoded.dictionary
    found = _is_in(each, texts) | np.isin(to_float64(each), numbers)
    codes = encoded.indices.fill_null(len(each)).to_numpy(zero_copy_only=False)
    return np.append(found, False)[codes]


def _is_in(cells: pa.Array, values: pa.Array) -> np.ndarray:
    return pc.is_in(cells, value_set=values).to_numpy(zero_copy_only=False)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return str(value)


def _number(value: Value) -> decimal.Decimal | None:
    """A value as a number; None if it is none."""
    if isinstance(value, bool):
        return decimal.Decimal(int(value))
    text = str(value).strip()
    if text.lower() in (_TRUE, _FALSE):
        return decimal.Decimal(text.lower() == _TRUE)
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() else None


def _fits(number: int, kind: pa.DataType) -> bool:
    try:
        pa.scalar(number, kind)
    except (pa.ArrowInvalid, OverflowError):
        return False
    return True
