import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.conversion import to_time_ms
from preprocessing.arrays.time_text import read_iso_times

MAY = 1_651_399_200_000  # 2022-05-01 10:00 UTC


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        (str(MAY), MAY),
        ("2022-05-01T10:00:00Z", MAY),
        ("2022-05-01 10:00:00", MAY),
        (" 2022-05-01T10:00 ", MAY),
        ("2022-05-01T10:00:00.25Z", MAY + 250),
        ("2022-05-01 10:00:00,250", MAY + 250),
        ("2022-05-01T10:00:00.123456789Z", MAY + 123),
        ("2022-05-01T18:00:00+08:00", MAY),
        ("2022-05-01 18:00:00 +0800", MAY),
        ("2022-05-01T05:30:00-04:30", MAY),
        ("2022-05-01 10:00:00 UTC", MAY),
        ("2022-05-01", MAY - 10 * 3_600_000),
        ("1969-12-31T23:59:59.5Z", -500),
        ("", None),
    ],
)
def test_a_time_in_any_notation(text, time_ms):
    values, unreadable = to_time_ms(pa.array([text, "2022-05-01T10:00:00Z", None]))
    assert values.to_pylist() == [time_ms, MAY, None]
    assert not unreadable.any()


@pytest.mark.parametrize(
    "text",
    [
        *("2022-02-30T10:00:00", "2022-13-01", "2022-05-01T24:00:00", "01/05/2022"),
        *("2022-05-01T10", "10:00:00", "yesterday", "2022-05-01T10:00:00+25:00"),
        "2022-05-01T10:00:00Z or so",
    ],
)
def test_other_text_is_unreadable_alone(text):
    values, unreadable = to_time_ms(pa.array([text, "5", None]))
    assert values.to_pylist() == [None, 5, None]
    assert unreadable.tolist() == [True, False, False]


@given(st.datetimes(min_value=datetime.datetime(1970, 1, 1)))
def test_any_moment_is_read_as_python_writes_it(moment):
    utc = moment.replace(tzinfo=datetime.timezone.utc)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    expected = (utc - epoch) // datetime.timedelta(milliseconds=1)
    values, _ = to_time_ms(pa.array([utc.isoformat(), str(moment)]))
    assert values.to_pylist() == [expected, expected]


def slowly(text):
    """Milliseconds by Python's own reader, None for what it does not read so."""
    date, _, clock = text.partition("T")
    zoned = clock.endswith("Z") or "+" in clock
    clock = clock.removesuffix("Z")
    try:
        moment = datetime.datetime.fromisoformat(f"{date}T{clock}")
    except ValueError:
        return None
    if not zoned:
        moment = moment.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (moment - epoch) // datetime.timedelta(milliseconds=1)


two_digits = st.integers(0, 61).map("{:02d}".format)
texts = st.builds(
    lambda year, month, day, hour, minute, second, end: (
        f"{year}-{month}-{day}T{hour}:{minute}:{second}{end}"
    ),
    st.sampled_from(["1999", "2022", "2024"]),
    *[two_digits] * 5,
    st.sampled_from(["", "Z", ".250", ".250Z", "+08:00", "+02:30", ".123456+00:00"]),
)


@given(st.lists(texts, min_size=1, max_size=40))
def test_a_column_of_some_layouts_is_read_cell_by_cell(column):
    times, read = read_iso_times(pa.array([None, *column])[1:], "Asia/Shanghai")
    expected = [slowly(text) for text in column]
    assert read.tolist() == [time is not None for time in expected]
    assert times.tolist() == [time or 0 for time in expected]
