from collections import Counter
from datetime import date

import pyarrow as pa
import pytest

from pipeline.config import SplitConfig
from pipeline.examples.day_split import (
    EVAL,
    TRAIN,
    DaySplit,
    EmptySplitError,
    check_days,
)
from preprocessing.arrays.days import MS_PER_HOUR


def table(*hours):
    times = [round(hour * MS_PER_HOUR) for hour in hours]
    return pa.table({"event_time_ms": pa.array(times, pa.int64())})


def selected(split, name, *hours):
    rows = split.select(table(*hours), name)
    return [t / MS_PER_HOUR for t in rows["event_time_ms"].to_pylist()]


def test_every_row_is_in_one_split_or_outside():
    split = DaySplit(SplitConfig(train_days=2, eval_days=1), 1, 0)
    hours = [23.9, 24, 71.9, 72, 95.9, 96]
    assert selected(split, TRAIN, *hours) == [24, 71.9]
    assert selected(split, EVAL, *hours) == [72, 95.9]


def test_days_begin_at_local_midnight():
    split = DaySplit(SplitConfig(train_days=1, eval_days=1), 1, 8)
    # Day 1 in China begins at 16:00 UTC of day 0.
    assert selected(split, TRAIN, 15.9, 16, 39.9, 40) == [16, 39.9]


def test_days_follow_a_time_zones_clocks():
    # In Berlin 2022-03-27, day 19078, has 23 hours: 23:00 UTC to 22:00 UTC.
    split = DaySplit(SplitConfig(train_days=1, eval_days=1), 19078, "Europe/Berlin")
    begin = 19078 * 24 - 1
    hours = [begin - 0.1, begin, begin + 22.9, begin + 23, begin + 46.9, begin + 47]
    assert selected(split, TRAIN, *hours) == hours[1:3]
    assert selected(split, EVAL, *hours) == hours[3:5]


def test_the_configured_first_day_wins_over_the_log():
    config = SplitConfig(first_train_day=date(1970, 1, 4), train_days=1, eval_days=1)
    split = DaySplit(config, first_day=0, calendar=0)
    assert split.split_days() == {TRAIN: range(3, 4), EVAL: range(4, 5)}


def test_a_day_without_impressions_is_a_warning():
    split = DaySplit(SplitConfig(train_days=3, eval_days=1), 0, 0)
    assert check_days(split, Counter({0: 5, 2: 5, 3: 5})) == [
        "train: no impressions on 1970-01-02"
    ]


@pytest.mark.parametrize("counts", [{0: 5, 1: 5}, {2: 5}, {}])
def test_an_empty_split_is_an_error_that_names_the_days(counts):
    split = DaySplit(SplitConfig(train_days=2, eval_days=1), 0, 0)
    with pytest.raises(EmptySplitError, match=r"no impressions: it covers 1970-01-0"):
        check_days(split, Counter(counts))
