"""Findings on numbers that are changed by hand."""

from dataclasses import replace

import pytest

from pipeline.log_check.cost import Cost
from pipeline.log_check.findings.days import days
from pipeline.log_check.findings.finding import share_text
from pipeline.log_check.findings.means import means
from pipeline.log_check.findings.split import split
from tests.helpers.checked_logs import run_config


def rolled(hours, by):
    return [hours[(hour - by) % 24] for hour in range(24)]


@pytest.mark.parametrize(
    ("by", "said"),
    [(0, None), (10, "10 hours behind"), (-8, "8 hours ahead"), (4, None)],
)
def test_a_quiet_time_at_noon_is_of_another_zone(clean_check, by, said):
    asleep = [10, 8, 1, 1, 1, 1, 6, 8] + [20] * 16
    hours = rolled([1000 * count for count in asleep], by)
    numbers = replace(clean_check.numbers, hours=hours)
    found = [each for each in days(run_config(), numbers) if each.topic == "time zone"]
    assert len(found) == (said is not None)
    if said:
        assert said in found[0].do


def test_an_hour_without_any_impression_is_named(clean_check):
    hours = [1000] * 24
    hours[7] = 0
    numbers = replace(clean_check.numbers, hours=hours)
    (found,) = days(run_config(), numbers)
    assert found.topic == "hours"
    assert found.seen.endswith("07.")


def test_means_that_are_short():
    needs = Cost({"training": 5.0}, 300.0, 2e9, 8e9, 10**9, 4 * 10**9)
    assert [each.topic for each in means(needs)] == ["disk", "memory"]
    enough = replace(needs, free_disk_bytes=10**10, machine_memory_bytes=10**10)
    assert not list(means(enough))


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 10, "0.0 %"),
        (10, 10, "100.0 %"),
        (1, 3, "33.3 %"),
        (1, 1000, "0.10 %"),
        (1, 10**6, "below 0.01 %"),
        (10**6 - 1, 10**6, "above 99.99 %"),
        (0, 0, "0.0 %"),
    ],
)
def test_shares_that_are_neither_none_nor_all_do_not_look_so(part, whole, text):
    assert share_text(part, whole) == text


def test_new_users_who_are_missing_in_the_evaluation_alone_cannot_be_judged(
    clean_check,
):
    numbers = clean_check.numbers
    slices = [
        replace(each, rows=0, scored=0) if each.slice == "new" else each
        for each in numbers.split.slices
    ]
    numbers = replace(numbers, split=replace(numbers.split, slices=slices))
    (found,) = split(run_config(), numbers)
    assert found.level == "look"
    assert found.seen.startswith("New users cannot be judged: long_view 0, like 0")


def test_tasks_without_any_user_do_not_hide_what_would_do_for_others(clean_check):
    numbers = clean_check.numbers
    few = {"long_view": 1, "like": 0}
    slices = [
        replace(each, scored=few[each.task]) if each.slice == "new" else each
        for each in numbers.split.slices
    ]
    numbers = replace(numbers, split=replace(numbers.split, slices=slices))
    (found,) = split(run_config(), numbers)
    assert found.do.startswith("About 3 days to evaluate on would do")
    assert found.do.endswith("Of like no user has both, so more need not help.")
