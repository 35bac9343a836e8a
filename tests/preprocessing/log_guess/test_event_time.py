"""When an impression was, by the range and the form of cells."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from preprocessing.log_guess.event_time import (
    seconds_from_start,
    time_readings,
    zone_offset_hours,
)
from tests.preprocessing.log_guess.columns import profiles

_S = 1_651_400_000  # 1 May 2022
_MOMENTS = [_S + 3601 * n for n in range(40)]


def _texts(form, hours=0):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    return [datetime.datetime.fromtimestamp(s, zone).strftime(form) for s in _MOMENTS]


@pytest.mark.parametrize(
    ("cells", "origin"),
    [
        (_MOMENTS, {"column": "ts", "unit": "s"}),
        ([s * 1000 for s in _MOMENTS], "ts"),
        ([s * 10**6 for s in _MOMENTS], {"column": "ts", "unit": "us"}),
        ([s * 10**9 for s in _MOMENTS], {"column": "ts", "unit": "ns"}),
        ([f"{s}.25" for s in _MOMENTS], {"column": "ts", "unit": "s"}),
        (_texts("%Y-%m-%dT%H:%M:%SZ"), {"column": "ts", "unit": "iso8601"}),
        (_texts("%Y-%m-%d %H:%M:%S"), {"column": "ts", "unit": "iso8601"}),
        (_texts("%Y-%m-%d"), {"date": "ts"}),
        (_texts("%Y%m%d"), {"date": "ts"}),
        (_texts("%d.%m.%Y %H:%M"), {"column": "ts", "format": "%d.%m.%Y %H:%M"}),
        (pa.array([s * 1000 for s in _MOMENTS], pa.timestamp("ms")), "ts"),
    ],
)
def test_units_and_forms(cells, origin):
    (reading,) = time_readings(profiles(ts=cells))
    assert reading.origin == origin
    apart = reading.times_ms - np.array(_MOMENTS) * 1000
    assert np.abs(apart).max() < (86_400_000 if "date" in origin else 60_000)


def test_american_days_are_told_from_others_by_the_thirteenth():
    cells = ["1/13/2022 08:00:00 AM", "12/1/2022 09:30:00 PM"] * 5
    (reading,) = time_readings(profiles(time=cells))
    assert reading.origin["format"] == "%m/%d/%Y %I:%M:%S %p"


def test_a_date_and_a_clock_make_one_time():
    found = time_readings(profiles(dt=_texts("%Y%m%d"), hm=_texts("%H%M")))
    pair = next(r for r in found if "time" in r.origin)
    assert pair.origin == {"date": "dt", "time": "hm"}
    assert pair.score > found[-1].score
    assert np.abs(pair.times_ms - np.array(_MOMENTS) * 1000).max() < 60_000


def test_a_time_of_the_impression_is_preferred_to_other_times():
    found = time_readings(
        profiles(
            conversion_timestamp=_MOMENTS,
            register_time=_MOMENTS,
            created_at=_texts("%Y-%m-%d %H:%M:%S"),
        )
    )
    assert found[0].profile.name == "created_at"
    assert {r.profile.name for r in found if r.score == 0} == {
        "conversion_timestamp",
        "register_time",
    }


def test_a_local_clock_beside_utc_tells_where_days_begin():
    found = time_readings(
        profiles(timestamp=_MOMENTS, time=_texts("%Y-%m-%d %H:%M:%S", hours=8))
    )
    assert found[0].profile.name == "timestamp"
    assert zone_offset_hours(found[0], found) == 8.0


def test_seconds_from_an_unknown_start_need_a_name():
    relative = profiles(timestamp=list(range(0, 9000, 90)))
    assert not time_readings(relative)
    reading = seconds_from_start(relative)
    assert reading.origin["since"] == "2020-01-01"
    assert seconds_from_start(profiles(price=list(range(0, 9000, 90)))) is None
