"""Day after day, each run on the state of the one before, is one run over all days."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.in_memory import compute_features
from preprocessing.features.columns import feature_schema
from preprocessing.state.info import StateInfo
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from tests.helpers.log_rows import (
    HOUR,
    START,
    cases,
    configs,
    impression,
    in_order,
    log_table,
    logs,
)
from tests.helpers.slow_engine import slow_features, slow_user_state, slow_video_state

END = START + 10_000 * HOUR


def one_run(log, config, state=None, watermark_ms=None):
    """Features and state of a log that starts from the state of an earlier run."""
    users, videos = state or (None, None)
    read = validate(log_table(log, config), "day", 0, config, watermark_ms)
    done = compute_features([read.accepted], config, users, videos)
    times = read.accepted["event_time_ms"].to_pylist()
    return done, max([watermark_ms or -1, *times]), read.rejects


def in_days(log, begins):
    ends = [*begins, END]
    starts = [0, *begins]
    return [
        [row for row in log if start <= row["event_time_ms"] < end]
        for start, end in zip(starts, ends, strict=True)
    ]


def states_of(done):
    return in_order(done.user_state.to_pylist()), in_order(done.video_state.to_pylist())


@given(
    case=cases,
    begins=st.lists(st.integers(1, 90), unique=True, max_size=6).map(sorted),
)
def test_single_days_give_what_one_run_gives(case, begins):
    log, config = case
    whole, _, _ = one_run(log, config)
    examples, state, watermark_ms, late = [], None, None, 0
    for day in in_days(log, [START + begin * 6 * HOUR for begin in begins]):
        done, watermark_ms, rejects = one_run(day, config, state, watermark_ms)
        state = done.user_state, done.video_state
        examples += done.features.to_pylist()
        late += rejects.num_rows
    assert late == 0
    assert in_order(examples) == in_order(whole.features.to_pylist())
    assert states_of(done) == states_of(whole)


@given(case=cases)
def test_the_state_is_the_slow_one(case):
    log, config = case
    done, _, _ = one_run(log, config)
    distinct = [row for i, row in enumerate(log) if row not in log[:i]]
    users, videos = states_of(done)
    assert users == in_order(slow_user_state(distinct, config))
    assert videos == in_order(slow_video_state(distinct))
    assert done.user_state.schema.equals(USER_STATE_SCHEMA)
    assert done.video_state.schema.equals(VIDEO_STATE_SCHEMA)


@given(case=cases, data=st.data())
def test_the_state_does_not_depend_on_order_or_shards(case, data):
    log, config = case
    done, _, _ = one_run(log, config)
    other = config.model_copy(update={"shards": data.draw(st.sampled_from([1, 5]))})
    again, _, _ = one_run(data.draw(st.permutations(log)), other)
    assert states_of(again) == states_of(done)


@given(log=logs, more=logs, config=configs)
def test_rows_that_are_not_after_the_state_are_rejects_and_change_nothing(
    log, more, config
):
    first, watermark_ms, _ = one_run(log, config)
    state = first.user_state, first.video_state
    done, _, rejects = one_run(more, config, state, watermark_ms)
    later = [row for row in more if row["event_time_ms"] > watermark_ms]
    assert rejects.num_rows == len(more) - len(later)
    assert all("not after the state's" in r for r in rejects["reason"].to_pylist())
    alone, _, _ = one_run(later, config, state, watermark_ms)
    assert in_order(done.features.to_pylist()) == in_order(alone.features.to_pylist())
    assert states_of(done) == states_of(alone)


LONG_VIEWS = FeatureConfig(
    history_length=1,
    history_of="long_views",
    labels={"long_view": {"rule": "long_view"}},
)


def user(done, name="a"):
    rows = done.user_state.to_pylist()
    return next(row for row in rows if row["user_id"] == name)


def test_of_long_views_the_last_impression_is_kept_too():
    log = [
        impression(video="y", at=0, play_time_ms=9),
        impression(video="z", at=1, play_time_ms=9),
        impression(video="x", at=2),
        impression(video="w", at=3),
    ]
    state = user(one_run(log, LONG_VIEWS)[0])
    assert state["video_ids"] == ["z", "w"]
    assert state["long_views"] == [True, False]
    assert state["view_count"] == 4


@pytest.mark.parametrize("turn", [1, -1])
def test_rows_of_one_time_leave_one_state_in_any_order(turn):
    twice = [
        impression(play_time_ms=9, user_first_launch_ms=7, prior_view_count=1),
        impression(play_time_ms=1, user_first_launch_ms=8, prior_view_count=2),
    ]
    state = user(one_run(twice[::turn], FeatureConfig(labels=LONG_VIEWS.labels))[0])
    assert state["long_views"] == [False, True]
    assert (state["user_first_launch_ms"], state["prior_view_count"]) == (8, 2)


def test_a_user_who_stays_away_keeps_the_state():
    config = FeatureConfig()
    first, watermark_ms, _ = one_run([impression("a"), impression("b", at=1)], config)
    state = first.user_state, first.video_state
    second, _, _ = one_run([impression("b", at=2)], config, state, watermark_ms)
    assert user(second, "a") == user(first, "a")
    assert user(second, "b")["view_count"] == 2
    assert second.video_state.to_pylist() == [{"video_id": "x", "impressions": 3}]


def test_prior_views_are_no_part_of_the_count_that_is_handed_on():
    config = FeatureConfig()
    log = [impression(prior_view_count=100), impression(at=1, prior_view_count=100)]
    first, watermark_ms, _ = one_run(log, config)
    assert user(first)["view_count"] == 2
    assert user(first)["prior_view_count"] == 100
    state = first.user_state, first.video_state
    next_day = [impression(at=2, prior_view_count=100), impression(at=3)]
    second, _, _ = one_run(next_day, config, state, watermark_ms)
    assert second.features["avc"].to_pylist() == [102, 3]


def test_active_days_are_kept_as_long_as_they_can_count():
    config = FeatureConfig()
    log = [impression(at=day * 24 * HOUR) for day in range(12)]
    days = user(one_run(log, config)[0])["active_days"]
    assert len(days) == 8
    assert days == list(range(days[-1] - 7, days[-1] + 1))


@pytest.mark.parametrize("silence_days", [8, 20, 400])
def test_a_day_of_return_is_carried_over_a_state(silence_days):
    config = FeatureConfig(history_length=1)
    back = silence_days * 24 * HOUR
    log = [impression(), impression(at=back), impression(at=back + 1)]
    first, watermark_ms, _ = one_run(log, config)
    assert len(user(first)["active_days"]) == 2
    state = first.user_state, first.video_state
    next_log = [impression(at=back + 2), impression(at=back + 24 * HOUR)]
    second, _, _ = one_run(next_log, config, state, watermark_ms)
    groups = second.features["user_group"].to_pylist()
    assert groups == ["returning", "inactive"]


def test_a_longer_history_grows_with_new_impressions():
    log = [impression(video=f"v{i}", at=i) for i in range(6)]
    first, watermark_ms, _ = one_run(log[:4], FeatureConfig(history_length=2))
    state = first.user_state, first.video_state
    longer = FeatureConfig(history_length=4)
    second, _, _ = one_run(log[4:], longer, state, watermark_ms)
    histories = second.features["history_video_ids"].to_pylist()
    assert histories == [["v2", "v3"], ["v2", "v3", "v4"]]
    assert second.features["avc"].to_pylist() == [4, 5]
    state_of_two = StateInfo(0, 0.0, "impressions", history_length=2)
    assert state_of_two.notes(longer) == [
        "the state lists a user's last 2 impressions; histories grow to "
        "features.history_length 4 only with new ones"
    ]
    state_of_four = StateInfo(0, 0.0, "impressions", history_length=4)
    assert state_of_four.notes(FeatureConfig(history_length=2)) == []


@pytest.mark.parametrize("name", ["times_ms", "video_ids", "active_days"])
def test_a_state_with_gaps_in_its_lists_is_refused(name):
    first, _, _ = one_run([impression()], FeatureConfig())
    states = first.user_state.to_pylist()
    states[0][name] = [None]
    broken = pa.Table.from_pylist(states, schema=USER_STATE_SCHEMA)
    with pytest.raises(ValueError, match=f"'{name}' holds nulls"):
        one_run([impression(at=1)], FeatureConfig(), (broken, first.video_state), START)


def test_rows_after_the_last_day_are_rejects():
    last = 24 * HOUR - START % (24 * HOUR) - 1
    config = FeatureConfig(last_day="2022-04-15")
    done, watermark_ms, rejects = one_run(
        [impression(at=last), impression(at=last + 1)], config
    )
    assert done.features.num_rows == 1
    assert watermark_ms == START + last
    assert rejects["reason"].to_pylist() == [
        "event_time_ms is after 2022-04-15 (last_day)"
    ]


def test_the_features_of_a_continued_log_have_the_same_schema():
    config = FeatureConfig(labels={"long_view": {"rule": "long_view"}})
    first, watermark_ms, _ = one_run([impression()], config)
    state = first.user_state, first.video_state
    second, _, _ = one_run([impression(at=1)], config, state, watermark_ms)
    assert second.features.schema.equals(feature_schema(config))
    slow = slow_features(
        [impression(at=1)],
        config,
        {"a": first.user_state.to_pylist()[0]},
        {"x": 1},
    )
    assert second.features["avc"].to_pylist() == [slow[0]["avc"]] == [1]
