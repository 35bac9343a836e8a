import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.formatted_times import (
    read_date_and_time,
    read_formatted_times,
)

FORMS = [
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d%H%M%S",
    "%d.%m.%Y",
    "%Y-%m-%d %H:%M:%S.%f",
    "%a %b %d %H:%M:%S %z %Y",
]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MS = datetime.timedelta(milliseconds=1)
moments = st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2100, 1, 1))


def results(converted):
    values, unreadable = converted
    return [
        "unreadable" if bad else ms
        for ms, bad in zip(values.to_pylist(), unreadable, strict=True)
    ]


@given(st.lists(moments, min_size=1), st.sampled_from(FORMS))
def test_reads_what_python_reads(clocks, form):
    clocks = [c.replace(tzinfo=datetime.timezone.utc) for c in clocks]
    texts = [c.strftime(form) for c in clocks]
    expected = []
    for text in texts:
        read = datetime.datetime.strptime(text, form)
        utc = read if read.tzinfo else read.replace(tzinfo=datetime.timezone.utc)
        expected.append((utc - EPOCH) // MS)
    assert results(read_formatted_times(pa.array(texts), form, None)) == expected


@pytest.mark.parametrize(
    "text",
    ["02/30/2022", "04/31/2022", "02/29/2023", "13/01/2022", "03/01/22x", "x", "1"],
)
def test_a_day_that_is_none_is_unreadable(text):
    texts = pa.array([text, "03/01/2022", None, ""])
    found = results(read_formatted_times(texts, "%m/%d/%Y", None))
    assert found == ["unreadable", 1_646_092_800_000, None, None]


def test_times_are_of_the_zone_unless_they_name_one():
    def read(text, form):
        return results(read_formatted_times(pa.array([text]), form, "Asia/Shanghai"))

    assert read("2022-05-01 08:00", "%Y-%m-%d %H:%M") == [1_651_363_200_000]
    named = "2022-05-01 08:00 +0200"
    assert read(named, "%Y-%m-%d %H:%M %z") == [1_651_384_800_000]


def test_whole_numbers_are_text():
    found = read_formatted_times(pa.array([20220501]), "%Y%m%d", None)
    assert results(found) == [1_651_363_200_000]


MAY_1 = 1_651_363_200_000
MINUTE = 60_000


@pytest.mark.parametrize(
    ("time", "minutes"),
    [
        ("18:04", 18 * 60 + 4),
        ("9:04", 9 * 60 + 4),
        ("18:04:30", 18 * 60 + 4.5),
        ("18:04:05.25", 18 * 60 + 4 + 5.25 / 60),
        ("1804", 18 * 60 + 4),
        ("180430", 18 * 60 + 4.5),
        ("90430", 9 * 60 + 4.5),
        ("930", 9 * 60 + 30),
        ("0", 0),
        (930, 9 * 60 + 30),
        (5, 5),
        (2359, 23 * 60 + 59),
        (datetime.time(18, 4, 30), 18 * 60 + 4.5),
    ],
)
@pytest.mark.parametrize("date", ["2022-05-01", "20220501", 20220501])
def test_a_date_and_a_time_of_day(date, time, minutes):
    column = pa.array([time])
    if isinstance(time, datetime.time):
        column = column.cast(pa.string())
    found = results(read_date_and_time(pa.array([date]), column, None))
    assert found == [MAY_1 + round(minutes * MINUTE)]


@pytest.mark.parametrize(
    ("date", "time"),
    [("2022-02-30", "1:00"), ("2022-05-01", "24:00"), ("5/1/2022", "1:00"),
     ("2022-05-01", "noon"), ("2022-05-01", "2560")],
)  # fmt: skip
def test_what_is_none_is_unreadable(date, time):
    found = results(read_date_and_time(pa.array([date]), pa.array([time]), None))
    assert found == ["unreadable"]


def test_one_that_is_missing_makes_the_time_missing():
    dates, times = pa.array([None, "2022-05-01", ""]), pa.array(["1:00", None, "x"])
    assert results(read_date_and_time(dates, times, "Asia/Shanghai")) == [None] * 3


def test_a_date_alone_is_the_midnight_of_its_zone():
    found = read_date_and_time(pa.array(["2022-05-01"]), None, "Asia/Shanghai")
    assert results(found) == [MAY_1 - 8 * 60 * MINUTE]
