import math
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.units import to_unit_ms

UNITS = {"min": (60_000, 1), "s": (1000, 1), "ms": (1, 1), "us": (1, 1000)}
UNITS["ns"] = (1, 1_000_000)
units = st.sampled_from(sorted(UNITS))
times_ms = st.integers(0, 253_402_300_799_999)


def ms_of(values, unit, kind=None):
    converted, unreadable = to_unit_ms(pa.array(values, kind), *UNITS[unit])
    assert converted.type == pa.int64()
    return [
        "unreadable" if bad else ms
        for ms, bad in zip(converted.to_pylist(), unreadable, strict=True)
    ]


@given(st.lists(st.integers(-(2**62), 2**62) | st.none(), min_size=1), units)
def test_whole_numbers_are_rounded_down_exactly(values, unit):
    numerator, denominator = UNITS[unit]
    limit = 2**62 // numerator
    expected = [
        None
        if value is None
        else value * numerator // denominator
        if abs(value) <= limit
        else "unreadable"
        for value in values
    ]
    assert ms_of(values, unit, pa.int64()) == expected
    texts = [None if value is None else str(value) for value in values]
    short = [len(text or "") <= 18 for text in texts]
    for text, fits, ms in zip(texts, short, expected, strict=True):
        if fits:
            assert ms_of([text], unit, pa.string()) == [ms]


@given(times_ms, units)
def test_each_millisecond_comes_back_from_any_notation(ms, unit):
    numerator, denominator = UNITS[unit]
    number = Fraction(ms * denominator, numerator)
    assert ms_of([float(number)], unit) == [ms]
    assert ms_of([repr(float(number))], unit) == [ms]
    if unit == "s":
        text = f"{ms // 1000}.{ms % 1000:03d}"
        assert ms_of([text], unit) == [ms]
        assert ms_of([text.encode() + b"000"], unit) == [ms]
        assert ms_of([Decimal(text)], unit) == [ms]


@given(st.floats(-1e9, 1e9), units)
def test_fractions_are_rounded_down(value, unit):
    # A float64 is the number that its shortest text names, not its exact value.
    numerator, denominator = UNITS[unit]
    exact = math.floor(Fraction(repr(value)) * numerator / denominator)
    [ms] = ms_of([value], unit)
    below = Fraction(value) * numerator / denominator
    assert ms == exact or math.floor(below) <= ms <= math.ceil(below)
    assert ms_of([float(ms * denominator / numerator)], unit) == [ms]


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([1_651_400_000], "s", [1_651_400_000_000]),
        ([1651400000.25], "s", [1_651_400_000_250]),
        (["1651400000.123", " 1651400000 ", "", None], "s", None),
        (["soon", "1e400", "nan"], "s", ["unreadable"] * 3),
        ([float("inf"), float("nan")], "s", ["unreadable", None]),
        ([1_651_400_000_123_456_789], "ns", [1_651_400_000_123]),
        (["1651400000123999999"[:18]], "us", [165_140_000_012_399]),
        ([-1, -1000], "us", [-1, -1]),
        ([1.5], "min", [90_000]),
        ([2**62], "s", ["unreadable"]),
    ],
)
def test_cases(values, unit, expected):
    if expected is None:
        expected = [1_651_400_000_123, 1_651_400_000_000, None, None]
    assert ms_of(values, unit) == expected


def test_whole_decimals_are_exact():
    nanoseconds = [Decimal(1_651_400_000_123_999_999)]
    assert ms_of(nanoseconds, "ns", pa.decimal128(20, 0)) == [1_651_400_000_123]
