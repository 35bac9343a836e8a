import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.days import local_day


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
