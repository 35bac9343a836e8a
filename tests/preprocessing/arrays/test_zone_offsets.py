import datetime
import subprocess
import sys
import zoneinfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.days import date_of, local_day
from preprocessing.arrays.zone_offsets import zone_offsets_ms

# Summer time in both halves of the year, of half an hour (Lord Howe), by the moon
# (Casablanca); offsets of 30 and 45 minutes; a day left out (Apia); clocks that go
# back at a minute past midnight (St Johns), or forward at midnight (Havana).
ZONES = (
    *("UTC", "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham"),
    *("Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns"),
    *("America/Sao_Paulo", "America/Havana", "Africa/Casablanca", "Pacific/Apia"),
    *("Australia/Lord_Howe", "Africa/Monrovia", "Antarctica/Troll"),
)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
YEAR_9999 = int((datetime.datetime(9999, 1, 1) - datetime.datetime(1970, 1, 1)).days)


def local_time(time_ms, zone):
    time = EPOCH + datetime.timedelta(milliseconds=time_ms)
    return time.astimezone(zoneinfo.ZoneInfo(zone))


@given(
    times=st.lists(
        st.integers(-3_000_000_000_000, 7_000_000_000_000)  # 1874 to 2191
        | st.integers(-60_000_000_000_000, YEAR_9999 * 86_400_000 - 1),
        max_size=5,
    ),
    zone=st.sampled_from(ZONES),
)
def test_is_what_the_zones_clocks_show(times, zone):
    days = local_day(np.array(times, np.int64), zone)
    expected = [local_time(time, zone).date().isoformat() for time in times]
    assert [date_of(day) for day in days.tolist()] == expected


@pytest.mark.parametrize("zone", ZONES)
def test_holds_on_both_sides_of_every_change_of_the_clocks(zone):
    hours = np.arange(-900_000, 1_200_000) * 3_600_000  # 1867 to 2106
    offsets = zone_offsets_ms(hours, zone)
    changed = np.flatnonzero(np.diff(offsets))
    for before in hours[changed][-300:].tolist():
        minutes = [before + minute * 60_000 for minute in range(61)]
        expected = [
            local_time(minute, zone).utcoffset() / datetime.timedelta(milliseconds=1)
            for minute in minutes
        ]
        assert zone_offsets_ms(np.array(minutes), zone).tolist() == expected


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Europe/Berlin", "2022-03-26", 24),
        ("Europe/Berlin", "2022-03-27", 23),
        ("Europe/Berlin", "2022-10-30", 25),
        ("Europe/Berlin", "2060-03-28", 23),  # by rule, beyond any listed change
        ("Europe/Berlin", "9996-03-31", 23),
        ("Australia/Lord_Howe", "2022-04-03", 24.5),
        ("America/New_York", "1942-02-09", 23),  # war time
        ("Asia/Shanghai", "1988-04-17", 23),
        ("Asia/Shanghai", "2022-03-27", 24),
        ("Pacific/Apia", "2011-12-30", 0),  # left out at the date line
    ],
)
def test_days_are_as_long_as_they_were(zone, date, hours):
    begin = datetime.datetime.fromisoformat(f"{date}T00:00+00:00") - EPOCH
    begin_ms = begin // datetime.timedelta(milliseconds=1)
    half_hours = begin_ms + np.arange(-40, 120) * 1_800_000
    day = begin_ms // 86_400_000
    assert (local_day(half_hours, zone) == day).sum() / 2 == hours


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
def test_times_that_no_date_has_are_taken(zone):
    extremes = np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max])
    offsets = zone_offsets_ms(extremes, zone)
    assert (np.abs(offsets) < 86_400_000).all()
    assert len(zone_offsets_ms(np.zeros(0, np.int64), zone)) == 0


@pytest.mark.e2e
def test_the_systems_time_zone_database_is_not_needed():
    code = """
import zoneinfo
zoneinfo.reset_tzpath(to=[])
import numpy as np
from preprocessing.arrays.days import local_day
from preprocessing.contract.config import FeatureConfig
zone = FeatureConfig(time_zone="Asia/Kathmandu").calendar
print(local_day(np.array([65_699_999, 65_700_000]) + 10**12 // 86_400_000 * 86_400_000,
                zone).tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[11574, 11575]"
