"""Which column says when an impression was, and in which unit or format."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.time_text import read_iso_times
from preprocessing.log_guess.profiles import ColumnProfile
from preprocessing.log_guess.vocabulary import time_score, words

# Units of numbers since 1970, and how many milliseconds each is.
_UNITS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_EARLIEST_MS, _LATEST_MS = 788_918_400_000, 2_051_222_400_000  # 1995 to 2035
_CLOCK = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?")
_ISO_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_ISO_ZONE = re.compile(r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)? ?(?:Z|z|UTC|[+-]\d\d:?\d\d)$")
_FORMATS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%Y%m%d %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%Y.%m.%d %H:%M:%S",
)
_DATES = 0.3  # quality of days without a time
_CHECKED = 400  # cells that formats are tried on


# What `source.columns` says of a column.
Origin = str | Mapping[str, Any]


@dataclass(frozen=True)
class TimeReading:
    """A way to read a column, or two, as times.

    Attributes:
        profile: The column; of two the date.
        origin: What `source.columns` says of it.
        what: The reading in words.
        times_ms: UTC milliseconds, float64 [rows]; NaN for what is no time.
        quality: 1 for a moment that needs no zone, less for others.
        has_zone: Whether the reading needs no guess of a time zone.
    """

    profile: ColumnProfile
    origin: Origin
    what: str
    times_ms: np.ndarray
    quality: float
    has_zone: bool

    @property
    def is_date(self) -> bool:
        """Whether it tells days alone."""
        return self.quality == _DATES

    @property
    def score(self) -> float:
        """By name and quality; 0 for what the name says is another time."""
        by_name = time_score(self.profile.name) if self.profile.named else 0.6
        return by_name * self.quality


def time_readings(profiles: list[ColumnProfile]) -> list[TimeReading]:
    """All columns that can be read as times, the likeliest event time first.

    Numbers count as times if nearly all lie between 1995 and 2035 in one of the units.
    """
    found = [r for p in profiles if p.distinct and (r := _read(p))]
    found += _dates_with_clocks(profiles, found)
    return sorted(found, key=lambda reading: (-reading.score, reading.profile.place))


def seconds_from_start(profiles: list[ColumnProfile]) -> TimeReading | None:
    """A column of a time's name that counts seconds from the log's own beginning."""
    for profile in profiles:
        if (
            profile.named
            and time_score(profile.name) >= 0.7
            and profile.is_number
            and profile.low >= 0
            and profile.high < 1e9
            and profile.distinct > 50
        ):
            unit = "ms" if {"ms", "millis"} & {*words(profile.name)} else "s"
            start = datetime.date(2020, 1, 1)
            base = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
            times = profile.numbers * _UNITS[unit] + base.timestamp() * 1000
            origin = {"column": profile.name, "unit": unit, "since": start.isoformat()}
            what = f"{unit} from {profile.low:g} on, so from an unknown start"
            return TimeReading(profile, origin, what, times, 0.5, False)
    return None


def zone_offset_hours(event: TimeReading, others: list[TimeReading]) -> float | None:
    """How far the log's own clock is ahead of UTC.

    Told by a text of the same moments in local time, beside numbers since 1970.

    Returns:
        Hours, of quarters; None where no column tells.
    """
    if not event.has_zone:
        return None
    for other in others:
        if other.has_zone or other.profile.name == event.profile.name:
            continue
        apart = (other.times_ms - event.times_ms) / 3_600_000
        apart = apart[~np.isnan(apart)]
        if len(apart) < 10:
            continue
        hours = round(float(np.median(apart)) * 4) / 4
        same = np.abs(apart - hours) < 0.02
        if same.mean() > 0.9 and 0 < abs(hours) <= 14:
            return hours
    return None


def unit_of(numbers: np.ndarray) -> str | None:
    """The unit in which nearly all numbers are times of 1995 to 2035."""
    values = numbers[np.isfinite(numbers) & (numbers != 0)]
    if not len(values):
        return None
    for unit, ms in _UNITS.items():
        times = values * ms
        if float(((times >= _EARLIEST_MS) & (times < _LATEST_MS)).mean()) >= 0.98:
            return unit
    return None


def _read(profile: ColumnProfile) -> TimeReading | None:
    name = profile.name
    if profile.is_timestamp:
        kind = profile.cells.type
        times = profile.cells.cast(pa.timestamp("ms", kind.tz), safe=False)
        moments = _floats(times)
        what = f"a timestamp of the file ({kind}): {_span(moments)}"
        return TimeReading(profile, name, what, moments, 1.0, True)
    if pa.types.is_date(profile.cells.type):
        times = profile.cells.cast(pa.timestamp("ms"))
        return TimeReading(
            profile, {"date": name}, "dates", _floats(times), _DATES, False
        )
    if profile.is_number:
        unit = unit_of(profile.numbers)
        if unit is None:
            return _compact_date(profile)
        times = profile.numbers * _UNITS[unit]
        origin: Origin = name if unit == "ms" else {"column": name, "unit": unit}
        what = f"numbers of {unit} since 1970: {_span(times)}"
        return TimeReading(profile, origin, what, times, 1.0, True)
    return _iso(profile) or _formatted(profile)


def _iso(profile: ColumnProfile) -> TimeReading | None:
    texts = pc.utf8_trim_whitespace(profile.texts)
    first_cells = texts.drop_null()[:_CHECKED]
    if profile.is_list or read_iso_times(first_cells)[1].mean() < 0.9:
        return None
    values, read = read_iso_times(texts)
    if read[profile.known].mean() < 0.95:
        return None
    times = np.where(read, values.astype(float), np.nan)
    first = texts.drop_null()[0].as_py()
    if not _ISO_CLOCK.match(first):
        origin = {"date": profile.name}
        return TimeReading(profile, origin, "dates", times, _DATES, False)
    zone = bool(_ISO_ZONE.search(first))
    origin = {"column": profile.name, "unit": "iso8601"}
    what = f"ISO 8601 text {'with' if zone else 'without'} a zone: {_span(times)}"
    return TimeReading(profile, origin, what, times, 1.0 if zone else 0.85, zone)


def _formatted(profile: ColumnProfile) -> TimeReading | None:
    cells = profile.texts.drop_null().unique()[:_CHECKED].to_pylist()
    for pattern in _FORMATS:
        if not all(_parsed(cell, pattern) is not None for cell in cells):
            continue
        parsed = {
            cell: moment
            for cell in profile.texts.unique().to_pylist()
            if cell is not None and (moment := _parsed(cell, pattern)) is not None
        }
        times = np.array([parsed.get(x, np.nan) for x in profile.texts.to_pylist()])
        origin = {"column": profile.name, "format": pattern}
        what = f"text as {pattern}: {_span(times)}"
        return TimeReading(profile, origin, what, times, 0.8, False)
    return None


def _dates_with_clocks(
    profiles: list[ColumnProfile], found: list[TimeReading]
) -> list[TimeReading]:
    """Pairs of a date and a time of day."""
    dates = [reading for reading in found if reading.is_date]
    clocks = [p for p in profiles if p.named and _is_clock(p)]
    pairs = []
    for date in dates:
        for clock in clocks[:1]:
            times = date.times_ms + _clock_ms(clock)
            origin = {"date": date.profile.name, "time": clock.name}
            what = f"a date and a time of day: {_span(times)}"
            pairs.append(TimeReading(date.profile, origin, what, times, 0.9, False))
    return pairs


def _compact_date(profile: ColumnProfile) -> TimeReading | None:
    """Whole numbers such as 20220501."""
    if not profile.is_whole or not (19_950_101 <= profile.low <= profile.high):
        return None
    if profile.high > 20_351_231:
        return None
    unique = {cell for cell in profile.texts.unique().to_pylist() if cell}
    parsed = {c: _parsed(c.removesuffix(".0"), "%Y%m%d") for c in unique}
    if any(moment is None for moment in parsed.values()):
        return None
    times = np.array([parsed.get(c) or np.nan for c in profile.texts.to_pylist()])
    return TimeReading(profile, {"date": profile.name}, "dates", times, _DATES, False)


def _is_clock(profile: ColumnProfile) -> bool:
    if profile.is_number:
        named = {"time", "hm", "hourmin", "hour", "hhmm", "clock"} & {
            *words(profile.name)
        }
        minutes = profile.numbers[np.isfinite(profile.numbers)] % 100
        return bool(
            named
            and profile.is_whole
            and profile.low >= 0
            and profile.high < 2400
            and minutes.max(initial=0) < 60
            and profile.high > 59
        )
    cells = profile.texts.drop_null()[:_CHECKED].to_pylist()
    return bool(cells) and all(_CLOCK.fullmatch(cell.strip()) for cell in cells)


def _clock_ms(profile: ColumnProfile) -> np.ndarray:
    return np.array([_clock_of(cell) for cell in profile.texts.to_pylist()])


def _clock_of(cell: str | None) -> float:
    if cell is None:
        return np.nan
    if ":" not in cell:
        number = int(float(cell))
        return (number // 100 * 60 + number % 100) * 60_000.0
    parts = [float(part) for part in cell.split(":")]
    return sum(part * ms for part, ms in zip(parts, (3.6e6, 6e4, 1e3), strict=False))


def _parsed(cell: str, pattern: str) -> float | None:
    try:
        moment = datetime.datetime.strptime(cell.strip(), pattern)
    except ValueError:
        return None
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000


def _floats(times: pa.Array) -> np.ndarray:
    return np.asarray(
        times.cast(pa.int64()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    )


def _span(times_ms: np.ndarray) -> str:
    known = times_ms[~np.isnan(times_ms)]
    if not len(known):
        return "none"
    return " to ".join(
        datetime.datetime.fromtimestamp(t / 1000, datetime.timezone.utc).strftime(
            "%Y-%m-%d"
        )
        for t in (known.min(), known.max())
    )
