"""Days without impressions or of another size; hours that look like another zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, share_text
from pipeline.log_check.numbers.days import Day
from pipeline.log_check.numbers.gathered import Numbers
from preprocessing.arrays.days import date_of

_TENTH, _TENFOLD = 0.1, 10.0
_LEAST_ROWS_OF_A_DAY = 50  # of the usual day; below, days differ by chance
_LEAST_ROWS = 10_000  # of a log whose hours are looked at
_SHOWN = 6
_NIGHT_HOURS = 4
_QUIET = 0.06  # of all impressions, in the quietest hours: a sixth were even
_ASLEEP_FROM = 2
_DAYTIME = range(9, 23)


def days(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What the days and hours speak against."""
    if len(numbers.days) > 1 and config.split.by == "day":
        yield from _of_days(numbers.days)
    if numbers.examples >= _LEAST_ROWS:
        yield from _of_hours(config, numbers)


def _of_days(found: Sequence[Day]) -> Iterator[Finding]:
    usual = _usual_rows(found)
    if usual < _LEAST_ROWS_OF_A_DAY:
        return
    whole = [day.day for day in found if day.rows >= _TENTH * usual]
    first, last = whole[0], whole[-1]
    inside = [day for day in found if first <= day.day <= last]
    present = {day.day for day in inside}
    gaps = [day for day in range(first, last + 1) if day not in present]
    if gaps:
        yield Finding(
            "look",
            "gap",
            f"{_count(gaps)} between the first and the last have no impression: "
            f"{_dates(gaps)}.",
            "A day that was lost makes users look inactive or returning, and their "
            "histories shorter.",
            "Look for the days' files; if the days are empty in truth, leave it.",
        )
    small = [day for day in inside if day.rows < _TENTH * usual]
    if small:
        yield Finding(
            "look",
            "small days",
            f"{_count(small)} with less than a tenth of a usual day's {usual:,} "
            f"impressions: {_dates([day.day for day in small])}.",
            "Part of such a day is usually missing.",
            "Look for files that did not come, or came to another place.",
        )
    large = [day for day in inside if day.rows > _TENFOLD * usual]
    if large:
        yield Finding(
            "look",
            "large days",
            f"{_count(large)} with more than ten times a usual day's {usual:,} "
            f"impressions: {_dates([day.day for day in large])}.",
            "A default time, such as that of an import, or a day that was written "
            "again under other ids.",
            "Look at the rows of these days; source.where can leave rows out.",
        )
    yield from _strays(found, first, last)


def _strays(found: Sequence[Day], first: int, last: int) -> Iterator[Finding]:
    outside = [day for day in found if not first <= day.day <= last]
    rows = sum(day.rows for day in outside)
    if rows:
        yield Finding(
            "look" if min(day.day for day in outside) < first - 7 else "note",
            "strays",
            f"{rows:,} impressions are of {_count(outside)} before or after the log's "
            f"{date_of(first)} to {date_of(last)}, each with less than a tenth of a "
            f"usual day: {_dates([day.day for day in outside])}.",
            "A day that was cut off, or wrong clocks. They are not trained on, but "
            "count among what users had seen.",
            "Nothing if the log begins or ends within such a day; else look at the "
            "clocks.",
        )


def _usual_rows(found: Sequence[Day]) -> int:
    """Rows of the day that the middle row is of, were days ordered by their rows."""
    sizes = np.sort([day.rows for day in found])
    return int(sizes[np.searchsorted(np.cumsum(sizes), sizes.sum() / 2)])


def _of_hours(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    hours = np.array(numbers.hours)
    if numbers.clock.whole_days > 0.5 * numbers.clock.rows:
        return  # dates alone: nothing is known of hours
    empty = np.flatnonzero(hours == 0).tolist()
    if empty:
        shown = ", ".join(f"{hour:02d}" for hour in empty)
        yield Finding(
            "look",
            "hours",
            f"No impression falls into these hours of the day: {shown}.",
            "Feeds are never silent for whole hours of all days: part of the log may "
            "be missing, or times lost their hour.",
            "Look at how times are written and read (source.columns.event_time_ms).",
        )
    windows = np.array(
        [np.roll(hours, -start)[:_NIGHT_HOURS].sum() for start in range(24)]
    )
    quiet = int(windows.argmin())
    middle = (quiet + _NIGHT_HOURS // 2) % 24
    if not empty and windows[quiet] < _QUIET * hours.sum() and middle in _DAYTIME:
        shift = (_ASLEEP_FROM - quiet + 12) % 24 - 12
        yield Finding(
            "look",
            "time zone",
            f"The fewest impressions ({share_text(windows[quiet], hours.sum())}) are "
            f"between {quiet} and {(quiet + _NIGHT_HOURS) % 24} o'clock, by "
            f"{calendar_name(config)}.",
            "People mostly sleep from 2 to 6: days seem to begin elsewhere, and users' "
            "active days and the split go by days.",
            f"If so, local time is about {abs(shift)} hours "
            f"{'ahead of' if shift > 0 else 'behind'} that: set features.time_zone, or "
            "features.utc_offset_hours.",
        )


def calendar_name(config: RunConfig) -> str:
    """Where days begin, in words such as UTC+8."""
    calendar = config.features.calendar
    if isinstance(calendar, str):
        return calendar
    return f"UTC{calendar:+g}" if calendar else "UTC"


def _count(of: Sequence[object]) -> str:
    return "1 day" if len(of) == 1 else f"{len(of):,} days"


def _dates(of: Sequence[int]) -> str:
    shown = ", ".join(date_of(day) for day in of[:_SHOWN])
    more = len(of) - _SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
