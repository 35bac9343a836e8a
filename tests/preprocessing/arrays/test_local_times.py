import datetime
import zoneinfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.local_times import local_to_utc_ms

ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def as_python_reads(clock, zone):
    local = clock.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return (local - EPOCH) // datetime.timedelta(milliseconds=1)


def shown(clock):
    utc = clock.replace(tzinfo=datetime.timezone.utc)
    return (utc - EPOCH) // datetime.timedelta(milliseconds=1)


@given(
    st.lists(
        st.datetimes(datetime.datetime(1971, 1, 2), datetime.datetime(2100, 1, 1)),
        min_size=1,
    ),
    st.sampled_from(ZONES),
)
def test_equals_zoneinfo(clocks, zone):
    clocks = [c.replace(microsecond=c.microsecond // 1000 * 1000) for c in clocks]
    found = local_to_utc_ms(np.array([shown(c) for c in clocks]), zone)
    assert found.tolist() == [as_python_reads(c, zone) for c in clocks]


@pytest.mark.parametrize(
    "clock",
    [
        datetime.datetime(2022, 3, 27, 2, 30),  # left out
        datetime.datetime(2022, 10, 30, 2, 30),  # shown twice
        datetime.datetime(2022, 10, 30, 3, 0),
        datetime.datetime(2022, 3, 27, 3, 0),
    ],
)
def test_hours_at_which_clocks_change(clock):
    found = local_to_utc_ms(np.array([shown(clock)]), "Europe/Berlin")
    assert found.tolist() == [as_python_reads(clock, "Europe/Berlin")]
