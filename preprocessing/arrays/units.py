"""Times and durations in any unit, in whole milliseconds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import Converted, to_float64, to_int64

_LARGEST = 2**62
_WHOLE_END = 2.0**53  # below it each whole number is a float64


def to_unit_ms(raw: pa.Array, numerator: int, denominator: int) -> Converted:
    """Numbers of a unit as milliseconds: floor(number * numerator / denominator).

    A number that is written with a fraction counts as the nearest float64, and the
    milliseconds are those of the number that was written: 1651400000.123 s are
    1651400000123 ms, though the float64 is a little less. So each whole number of
    milliseconds below 2^53 comes back from its float64 in any unit.

    Args:
        raw: Numbers, or text with numbers.
        numerator: Milliseconds in one unit; 1 in case of a smaller unit.
        denominator: Units in one millisecond; 1 in case of a larger unit.

    Returns:
        int64 [rows], null where a value is missing, and which rows are no number or
        beyond what int64 holds, bool [rows].
    """
    values, fractions = to_int64(_exact(raw))
    missing = values.is_null().to_numpy(zero_copy_only=False)
    whole = values.fill_null(0).to_numpy()
    too_large = np.abs(whole) > _LARGEST // numerator
    ms = np.floor_divide(np.where(too_large, 0, whole) * numerator, denominator)
    if fractions.any():
        numbers = to_float64(raw.filter(pa.array(fractions)))
        readable, found = _of_floats(numbers, numerator, denominator)
        ms[fractions] = found
        missing[fractions] = ~readable
        fractions[fractions] = ~readable
    return pa.array(ms, mask=missing | too_large), fractions | too_large


def _exact(raw: pa.Array) -> pa.Array:
    """Decimals as int64 where all of them are whole."""
    if not pa.types.is_decimal(raw.type):
        return raw
    try:
        return raw.cast(pa.int64())
    except pa.ArrowInvalid:
        return raw


def _of_floats(
    numbers: np.ndarray, numerator: int, denominator: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which float64 numbers have milliseconds, bool [rows], and these, int64 [rows]."""
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.rint(numbers * (numerator / denominator))
        readable = np.abs(near) < _WHOLE_END
        near = np.where(readable, near, 0.0)
        # The float64 of the milliseconds `near` in the unit; floats keep the order.
        floor: np.ndarray = near - (numbers < near * denominator / numerator)
    return readable, floor.astype(np.int64)
