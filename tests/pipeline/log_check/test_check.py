"""Logs with one fault each: it is found, and nothing is found in a log without."""

import numpy as np
import pyarrow as pa
import pytest

from tests.helpers.checked_logs import (
    DAY_MS,
    SIZE,
    checked,
    numbers_of,
    run_config,
    with_column,
)

START = SIZE.start_ms
NUMERIC = [{"name": "extra", "entity": "context", "type": "numeric"}]
TEXT = [{"name": "extra", "entity": "context", "type": "categorical"}]
OF_USER = [{"name": "extra", "entity": "user", "type": "numeric"}]


def scaled(name, factor):
    return lambda log: with_column(
        log, name, (numbers_of(log, name) * factor).astype(np.int64)
    )


def on_day(log, day):
    times = numbers_of(log, "event_time_ms")
    return (times >= START + day * DAY_MS) & (times < START + (day + 1) * DAY_MS)


def without_a_day(log):
    return log.filter(pa.array(~on_day(log, 4)))


def with_a_small_day(log):
    keep = ~on_day(log, 4) | (np.arange(log.num_rows) % 50 == 0)
    return log.filter(pa.array(keep))


def with_rows_twice(log):
    return pa.concat_tables([log, log.slice(0, log.num_rows // 20)])


def with_actions_as_rows(log):
    again = log.slice(0, log.num_rows // 10)
    other = with_column(again, "is_follow", 1 - numbers_of(again, "is_follow"))
    return pa.concat_tables([log, other.cast(log.schema)])


def with_extra(make):
    return lambda log: with_column(log, "extra", make(log))


def like(log):
    return numbers_of(log, "is_like")


def noise(log):
    return np.random.default_rng(3).random(log.num_rows)


def dates_alone(log):
    times = numbers_of(log, "event_time_ms")
    return with_column(log, "event_time_ms", times - times % DAY_MS)


def some_old_times(log):
    times = numbers_of(log, "event_time_ms").copy()
    times[:20] = 800_000_000_000
    return with_column(log, "event_time_ms", times)


def running_priors(log):
    return with_column(log, "prior_view_count", np.arange(log.num_rows))


def launches_later(log):
    times = numbers_of(log, "event_time_ms")
    return with_column(log, "user_first_launch_ms", times + DAY_MS)


def a_common_user(log):
    users = log["user_id"].to_pylist()
    some = ["unknown" if row % 8 == 0 else user for row, user in enumerate(users)]
    return with_column(log, "user_id", some)


def a_user_for_each_row(log):
    return with_column(log, "user_id", [f"s{row}" for row in range(log.num_rows)])


def no_launches(log):
    return with_column(log, "user_first_launch_ms", pa.nulls(log.num_rows, pa.int64()))


def nearly_null(log):
    return pa.array(noise(log), mask=np.arange(log.num_rows) % 300 != 0)


FAULTS = {
    "seconds": (scaled("event_time_ms", 0.001), {}, "stop", "rejects", "unit: s}"),
    "play time in s": (scaled("play_time_ms", 0.001), {}, "look", "units", "unit: s}"),
    "both in s": (
        lambda log: scaled("play_time_ms", 0.001)(
            scaled("video_duration_ms", 0.001)(log)
        ),
        {},
        "look",
        "units",
        "video_duration_ms: {column",
    ),
    "gap": (without_a_day, {}, "look", "gap", ""),
    "small day": (with_a_small_day, {}, "look", "small days", ""),
    "duplicates": (with_rows_twice, {}, "look", "duplicates", ""),
    "a row an action": (with_actions_as_rows, {}, "look", "repeated impressions", ""),
    "dates": (dates_alone, {}, "look", "coarse times", "date: ..."),
    "old times": (some_old_times, {}, "look", "old times", ""),
    "running priors": (running_priors, {}, "look", "prior_view_count", ""),
    "late launches": (launches_later, {}, "look", "first launch", ""),
    "no launches": (no_launches, {}, "look", "new users", "max_avc"),
    "one user": (a_common_user, {}, "look", "one user", "null_values"),
    "sessions": (a_user_for_each_row, {}, "look", "short pasts", ""),
    "no likes": (
        lambda log: with_column(log, "is_like", np.zeros(log.num_rows, np.int64)),
        {},
        "look",
        "label",
        "features.labels.like",
    ),
    "constant": (
        with_extra(lambda log: np.full(log.num_rows, 7.0)),
        {"extra": NUMERIC},
        "look",
        "constant column",
        "features.extra",
    ),
    "null": (
        with_extra(nearly_null),
        {"extra": NUMERIC},
        "look",
        "null column",
        "features.extra",
    ),
    "leak": (
        with_extra(lambda log: like(log) + 0.9 * noise(log)),
        {"extra": NUMERIC},
        "look",
        "leak",
        "features.extra",
    ),
    "leak, the other way": (
        with_extra(lambda log: -like(log) + 0.9 * noise(log)),
        {"extra": NUMERIC},
        "look",
        "leak",
        "features.extra",
    ),
    "leak by nulls": (
        with_extra(lambda log: pa.array(noise(log), mask=like(log) == 1)),
        {"extra": NUMERIC},
        "look",
        "leak",
        "features.extra",
    ),
    "leak in the middle": (
        with_extra(lambda log: np.where(like(log) == 1, 5.0, 10 * noise(log).round())),
        {"extra": NUMERIC},
        "look",
        "leak",
        "features.extra",
    ),
    "leak in words": (
        with_extra(lambda log: ["yes" if liked else "no" for liked in like(log)]),
        {"extra": TEXT},
        "look",
        "leak",
        "features.extra",
    ),
    "no such days": (
        lambda log: log,
        {"split": {"first_train_day": "2020-01-01"}},
        "stop",
        "split",
        "section split",
    ),
    "too few to judge": (
        lambda log: log,
        {"evaluation": {"min_scored_users": 10_000}},
        "look",
        "evaluation",
        "split.eval_days",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_answered(fault, clean, tmp_path):
    change, settings, level, topic, answer = FAULTS[fault]
    found = checked(change(clean), tmp_path, run_config(**settings))
    of_topic = [each for each in found.findings if each.topic == topic]
    assert of_topic, [each.topic for each in found.findings]
    assert of_topic[0].level == level
    assert any(answer in each.do for each in of_topic)
    assert found.verdict == {"stop": "unusable", "look": "look"}[level]


def test_nothing_is_found_in_a_log_without_faults(clean_check):
    assert not [each for each in clean_check.findings if each.level != "note"]
    assert clean_check.verdict == "usable"


@pytest.mark.parametrize("extra", [NUMERIC, TEXT, OF_USER])
def test_a_column_that_knows_nothing_is_no_leak(extra, clean, tmp_path):
    values = noise(clean)
    column = values if extra[0]["type"] == "numeric" else [str(v) for v in values]
    log = with_column(clean, "extra", column)
    found = checked(log, tmp_path, run_config(extra=extra))
    assert found.verdict == "usable", found.findings


def test_a_users_property_is_compared_across_users(clean, tmp_path):
    users, of_row = np.unique(clean["user_id"].to_pylist(), return_inverse=True)
    likes = np.arange(len(users)) % 2
    log = with_column(clean, "is_like", likes[of_row])
    log = with_column(log, "extra", likes[of_row].astype(float))
    found = checked(log, tmp_path, run_config(extra=OF_USER))
    leaks = [each.seen for each in found.findings if each.topic == "leak"]
    assert leaks == ["extra alone tells like with an AUC of 1.000."]


def test_labels_that_say_the_same_are_named(clean, tmp_path):
    log = with_column(clean, "is_follow", like(clean))
    features = {
        "labels": {"like": {"column": "is_like"}, "follow": {"column": "is_follow"}}
    }
    config = run_config(features=features, tasks={"follow": {}, "like": {}})
    found = checked(log, tmp_path, config)
    assert "equal labels" in [each.topic for each in found.findings]


def test_a_log_without_rows_cannot_be_used(clean, tmp_path):
    found = checked(clean.slice(0, 0), tmp_path, run_config())
    assert found.verdict == "unusable"
    assert found.findings[0].seen == "The log has no rows."


def test_threads_change_nothing(clean, tmp_path):
    log = with_rows_twice(clean)
    numbers = [
        checked(log, tmp_path, run_config(), threads=threads).numbers
        for threads in (1, 4)
    ]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(("unit", "scale"), [("s", 1000), ("us", 0.001)])
def test_a_mapped_columns_unit_is_named_by_the_logs_own_name(
    unit, scale, clean, tmp_path
):
    times = (numbers_of(clean, "event_time_ms") / scale).astype(np.int64)
    log = with_column(clean.drop(["event_time_ms"]), "ts", times)
    wrong = {"columns": {"event_time_ms": {"column": "ts", "unit": "ms"}}}
    found = checked(log, tmp_path, run_config(source=wrong)).findings[0]
    right = {"column": "ts", "unit": unit}
    assert (
        found.do == f"source.columns: {{event_time_ms: {{column: ts, unit: {unit}}}}}"
    )
    config = run_config(source={"columns": {"event_time_ms": right}})
    assert checked(log, tmp_path, config).numbers.examples == clean.num_rows


def test_rows_that_are_not_asked_for_are_counted_apart(clean, tmp_path):
    config = run_config(source={"where": {"is_follow": [1]}})
    numbers = checked(clean, tmp_path, config).numbers
    assert 0 < numbers.rows_in < clean.num_rows
    assert numbers.rows_in + numbers.left_out == clean.num_rows
