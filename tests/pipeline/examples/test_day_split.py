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
    UnreadyDayError,
    check_days,
)
from preprocessing.arrays.days import MS_PER_HOUR


def table(*hours):
    times = [round(hour * MS_PER_HOUR) for hour in hours]
    return pa.table({"event_time_ms": pa.array(times, pa.int64())})


def selected(split, name, *hours):
    rows = split.select(table(*hours), name)
    return [t / MS_PER_HOUR for t in rows["event_time_ms"].to_pylist()]


def days(*counts):
    return Counter(dict(enumerate(counts)))


def test_every_row_is_in_one_split_or_outside():
    split = DaySplit(SplitConfig(train_days=2, eval_days=1), days(1, 1, 1, 1), 0)
    hours = [23.9, 24, 71.9, 72, 95.9, 96]
    assert selected(split, TRAIN, *hours) == [24, 71.9]
    assert selected(split, EVAL, *hours) == [72, 95.9]


def test_days_begin_at_local_midnight():
    split = DaySplit(SplitConfig(train_days=1, eval_days=1), days(0, 1, 1), 8)
    # Day 1 in China begins at 16:00 UTC of day 0.
    assert selected(split, TRAIN, 15.9, 16, 39.9, 40) == [16, 39.9]


def test_days_follow_a_time_zones_clocks():
    # In Berlin 2022-03-27, day 19078, has 23 hours: 23:00 UTC to 22:00 UTC.
    counts = Counter({19078: 1, 19079: 1})
    split = DaySplit(SplitConfig(train_days=1, eval_days=1), counts, "Europe/Berlin")
    begin = 19078 * 24 - 1
    hours = [begin - 0.1, begin, begin + 22.9, begin + 23, begin + 46.9, begin + 47]
    assert selected(split, TRAIN, *hours) == hours[1:3]
    assert selected(split, EVAL, *hours) == hours[3:5]


def test_the_newest_days_are_used_and_the_others_counted():
    split = DaySplit(SplitConfig(train_days=3, eval_days=2), days(*[10] * 12), 0)
    assert split.split_days() == {TRAIN: range(7, 10), EVAL: range(10, 12)}
    summary = split.describe(days(*[10] * 12))
    assert summary["outside_splits"] == 70
    assert summary["warnings"] == [
        "70 examples of other days are not used: 1970-01-01 to 1970-01-07"
    ]
    assert sum(summary["days"].values()) == 120


def test_a_wrong_clock_does_not_move_the_window_and_is_named():
    counts = days(50, 50, 50) + Counter({4000: 1})
    split = DaySplit(SplitConfig(train_days=2, eval_days=1), counts, 0)
    assert split.split_days()[EVAL] == range(2, 3)
    assert split.describe(counts)["warnings"] == [
        "1 example of other days is not used: 1980-12-14"
    ]


def test_the_configured_first_day_wins_over_the_log():
    config = SplitConfig(first_train_day=date(1970, 1, 4), train_days=1, eval_days=1)
    split = DaySplit(config, days(1, 1, 1, 1, 1, 1, 1, 1), calendar=0)
    assert split.split_days() == {TRAIN: range(3, 4), EVAL: range(4, 5)}


def test_days_without_impressions_are_one_warning_a_split():
    counts = days(5, 0, 5, 0, 0, 0, 5, 5)
    split = DaySplit(SplitConfig(train_days=7, eval_days=1), counts, 0)
    assert check_days(split, counts) == [
        "train: no impressions on 1970-01-02, 1970-01-04 to 1970-01-06"
    ]


def test_a_log_shorter_than_the_window_is_used_as_far_as_it_goes():
    counts = Counter({20: 5, 21: 5})
    split = DaySplit(SplitConfig(train_days=7, eval_days=1), counts, 0)
    assert split.split_days()[EVAL] == range(21, 22)
    assert check_days(split, counts) == [
        "train: 1 of the 7 days (split.train_days): the log begins on 1970-01-21"
    ]


def test_days_that_are_missing_in_a_log_are_not_before_its_beginning():
    counts = Counter({2: 5, 20: 5, 21: 5})
    split = DaySplit(SplitConfig(train_days=7, eval_days=1), counts, 0)
    assert check_days(split, counts) == [
        "train: no impressions on 1970-01-15 to 1970-01-20"
    ]


def test_days_that_an_earlier_run_has_not_left_are_not_said_to_lack_in_the_log():
    config = SplitConfig(train_days=7, eval_days=1)
    counts = Counter({17: 5, 19: 5, 20: 5, 21: 5})
    split = DaySplit(config, counts, 0, last=21, goes_on=True)
    fewer, missing = check_days(split, counts)
    assert fewer.startswith("train: 3 of the 7 days (split.train_days): the run before")
    assert fewer.endswith("1970-01-18; older days of the log are not read again")
    assert missing == "train: no impressions on 1970-01-19"


@pytest.mark.parametrize("counts", [days(5), days(5, 0, 0, 0, 5), Counter()])
def test_an_empty_split_is_an_error_that_names_the_days(counts):
    split = DaySplit(SplitConfig(train_days=2, eval_days=1), counts, 0)
    with pytest.raises(EmptySplitError, match=r"no impressions: it covers 19"):
        check_days(split, counts)


def given_window(**settings):
    """Days 3 and 4 to train on, day 5 to evaluate on."""
    first = date(1970, 1, 4)
    config = SplitConfig(first_train_day=first, train_days=2, eval_days=1, **settings)
    return DaySplit(config, Counter(), calendar=0)


@pytest.mark.parametrize("last", [0, 9])
def test_a_given_day_with_far_fewer_rows_than_usual_is_not_ready(last):
    with pytest.raises(UnreadyDayError):
        check_days(given_window(), days(0, 0, 0, 110, 90, last))
    assert check_days(given_window(), days(0, 0, 0, 110, 90, 10)) == []


def test_days_without_rows_do_not_make_a_usual_day():
    counts = days(0, 0, 0, 0, 100, 9)
    with pytest.raises(UnreadyDayError, match=r"1970-01-06 has 9 .* has 100"):
        check_days(given_window(), counts)


def test_how_few_rows_a_day_may_have_is_a_setting():
    assert check_days(given_window(min_eval_share=0), days(0, 0, 0, 100, 100, 1)) == []
    with pytest.raises(UnreadyDayError):
        check_days(given_window(min_eval_share=1), days(0, 0, 0, 100, 100, 99))


def test_nothing_to_train_on_is_no_day_to_wait_for():
    with pytest.raises(EmptySplitError) as error:
        check_days(given_window(), days(0, 0, 0, 0, 0, 5))
    assert not isinstance(error.value, UnreadyDayError)
