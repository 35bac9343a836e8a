import pyarrow as pa
import pytest

from preprocessing.arrays.days import MS_PER_DAY, MS_PER_HOUR
from preprocessing.checks.day_window import DayWindow

DAY = 19_000


def table(*times):
    return pa.table({"event_time_ms": times, "row": range(len(times))})


def kept(window, rows, calendar=0.0):
    return window.select(rows, calendar)["row"].to_pylist()


def test_rows_of_the_days_are_kept():
    rows = table(*(DAY * MS_PER_DAY + hours * MS_PER_HOUR for hours in (-1, 0, 23, 24)))
    assert kept(DayWindow(DAY, DAY), rows) == [1, 2]
    assert kept(DayWindow(DAY), rows) == [1, 2, 3]
    assert kept(DayWindow(last=DAY), rows) == [0, 1, 2]
    assert kept(DayWindow(DAY, DAY), rows, "Asia/Shanghai") == [0, 1]


def test_rows_whose_time_is_not_known_stay():
    seconds = DAY * 86_400
    assert kept(DayWindow(DAY, DAY), table(None, seconds, -5, 0)) == [0, 1, 2]
    texts = table("yesterday", "2022-01-08T10:00:00Z", "2022-01-09T10:00:00Z", "")
    assert kept(DayWindow(DAY, DAY), texts) == [0, 1, 3]


def test_a_table_without_times_is_left_to_the_checks():
    rows = pa.table({"row": [1]})
    assert DayWindow(DAY, DAY).select(rows, 0.0) is rows


@pytest.mark.parametrize(
    ("folders", "read"),
    [
        ({"date": "2022-01-08"}, True),
        ({"date": "2022-01-07"}, True),
        ({"date": "2022-01-06"}, False),
        ({"dt": "2022-01-10"}, False),
        ({"date": "today"}, True),
        ({"date": None}, True),
        ({"author_id": "2022-01-01"}, True),
        ({}, True),
    ],
)
def test_folders_of_days_far_from_the_window_are_not_read(folders, read):
    assert DayWindow(DAY, DAY).may_hold(folders) is read
    assert DayWindow().may_hold(folders)
