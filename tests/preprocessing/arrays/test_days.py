import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.days import (
    begun_day,
    date_of,
    day_of,
    local_day,
    time_text,
)


@given(
    time_ms=st.integers(0, 4_000_000_000_000),
    offset=st.sampled_from([-11.0, -3.5, 0.0, 5.75, 8.0, 14.0]),
)
def test_is_the_calendars_day(time_ms, offset):
    zone = datetime.timezone(datetime.timedelta(hours=offset))
    date = datetime.datetime.fromtimestamp(time_ms / 1000, tz=zone).date()
    expected = (date - datetime.date(1970, 1, 1)).days
    assert local_day(np.array([time_ms]), offset).tolist() == [expected]


@pytest.mark.parametrize(
    ("time_ms", "day"), [(0, 0), (-1, -1), (86_399_999, 0), (86_400_000, 1)]
)
def test_a_day_begins_at_midnight(time_ms, day):
    assert local_day(np.array([time_ms]), 0).tolist() == [day]


@given(date=st.dates())
def test_a_date_is_a_number_of_days_and_back(date):
    assert date_of(day_of(date)) == date.isoformat()
    noon = datetime.datetime.combine(date, datetime.time(12), datetime.timezone.utc)
    time_ms = round(noon.timestamp() * 1000)
    assert local_day(np.array([time_ms]), 0).tolist() == [day_of(date)]


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_650_000_000_007, "2022-04-15T05:20:00.007Z"),
    ],
)
def test_times_are_written_in_utc_to_the_millisecond(time_ms, text):
    assert time_text(time_ms) == text


def test_a_day_that_has_begun_does_not_step_back_with_the_clocks():
    # Until 2011 clocks in St. John's went from 00:01 back to 23:01 of the day before.
    midnight = 1_289_097_000_000  # 2010-11-07 00:00 there, UTC-2:30
    minute = 60_000
    times = midnight + np.array([-1, 0, 1, 30, 60, 61]) * minute
    days = local_day(times, "America/St_Johns")
    assert (days - days[0]).tolist() == [0, 1, 0, 0, 1, 1]
    begun = begun_day(times, "America/St_Johns")
    assert (begun - begun[0]).tolist() == [0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("calendar", [0.0, 8, "Europe/Berlin", "Asia/Shanghai"])
def test_elsewhere_the_day_that_has_begun_is_the_local_one(calendar):
    times = 1_600_000_000_000 + np.arange(0, 800) * 13 * 3_600_000
    assert (begun_day(times, calendar) == local_day(times, calendar)).all()
