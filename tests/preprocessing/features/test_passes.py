"""The engine against the slow one, and the laws that point-in-time features obey."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig
from preprocessing.features.columns import feature_schema
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from tests.helpers.log_rows import (
    HOUR,
    LABELS,
    START,
    cases,
    configs,
    features_of,
    impression,
    in_order,
    rows,
)
from tests.helpers.slow_engine import slow_features, slow_user_state, slow_video_state

DAY = 24 * HOUR


def by_time(log, config=None, **states):
    config = config or FeatureConfig(labels=LABELS)
    features, _ = features_of(log, config, **states)
    return sorted(features, key=lambda row: (row["event_time_ms"], row["video_id"]))


def in_columns(table, config):
    names = feature_schema(config).names
    return in_order([{name: row[name] for name in names} for row in table])


@given(case=cases)
def test_equals_the_slow_engine(case):
    log, config = case
    features, repeated = features_of(log, config)
    assert features == in_columns(slow_features(log, config), config)
    assert len(features) + len(repeated) == len(log)


@given(case=cases, data=st.data())
def test_does_not_depend_on_order_shards_or_files(case, data):
    log, config = case
    features, repeated = features_of(log, config)
    shuffled = data.draw(st.permutations(log))
    shards = config.model_copy(
        update={"shards": data.draw(st.sampled_from([1, 3, 16]))}
    )
    again, repeated_again = features_of(shuffled, shards, data.draw(st.integers(1, 4)))
    assert again == features
    assert len(repeated_again) == len(repeated)


@given(log=st.lists(rows, min_size=1, max_size=30), config=configs, data=st.data())
def test_a_row_changes_nothing_before_or_beside_it(log, config, data):
    config = FeatureConfig(
        **config.model_dump(exclude={"extra"}),
        extra=[{"name": "row", "entity": "context", "type": "categorical"}],
    )
    log = [{**row, "row": str(i)} for i, row in enumerate(log)]
    index = data.draw(st.integers(0, len(log) - 1))
    changed = list(log)
    changed[index] = {**data.draw(rows), "row": str(index)}
    first = min(log[index]["event_time_ms"], changed[index]["event_time_ms"])

    def unaffected(rows):
        features, _ = features_of(rows, config)
        return [
            row
            for row in features
            if row["event_time_ms"] <= first and row["row"] != str(index)
        ]

    assert unaffected(changed) == unaffected(log)


@given(case=cases, cut=st.integers(0, 90))
def test_state_stands_for_the_earlier_rows(case, cut):
    log, config = case
    distinct = [row for i, row in enumerate(log) if row not in log[:i]]
    begin = START + cut * 6 * HOUR
    past = [row for row in distinct if row["event_time_ms"] < begin]
    rest = [row for row in distinct if row["event_time_ms"] >= begin]
    users, videos = slow_user_state(past, config), slow_video_state(past)
    seeded, _ = features_of(
        rest,
        config,
        user_state=pa.Table.from_pylist(users, schema=USER_STATE_SCHEMA),
        video_state=pa.Table.from_pylist(videos, schema=VIDEO_STATE_SCHEMA),
    )
    whole, _ = features_of(distinct, config)
    assert seeded == [row for row in whole if row["event_time_ms"] >= begin]
    counts = {video["video_id"]: video["impressions"] for video in videos}
    slow = slow_features(rest, config, {u["user_id"]: u for u in users}, counts)
    assert seeded == in_columns(slow, config)


def test_impressions_of_equal_time_do_not_see_each_other():
    first, second = by_time([impression(video="x"), impression(video="y")])
    assert first["avc"] == second["avc"] == 0
    assert first["history_video_ids"] == second["history_video_ids"] == []
    both = by_time([impression("a"), impression("b")])
    assert [row["video_impressions"] for row in both] == [0, 0]


def test_a_history_is_the_last_events_oldest_first():
    log = [impression(video=f"v{i}", at=i * 1000) for i in range(4)]
    config = FeatureConfig(history_length=2, labels=LABELS)
    last = by_time(log, config)[-1]
    assert last["history_video_ids"] == ["v1", "v2"]
    assert last["history_gap_ms"] == [2000, 1000]
    assert last["history_author_ids"] == ["p", "p"]


def test_histories_of_long_views_skip_the_rest():
    log = [
        impression(video="x", at=0, play_time_ms=6),
        impression(video="y", at=1, play_time_ms=5),
        impression(video="z", at=2),
    ]
    config = FeatureConfig(history_of="long_views", labels=LABELS)
    last = by_time(log, config)[-1]
    assert last["history_video_ids"] == ["x"]
    assert last["avc"] == 2


def test_unknown_authors_and_tags_keep_their_place_in_a_history():
    log = [impression(author_id=None, video_tags=None), impression(at=1)]
    last = by_time(log)[-1]
    assert last["history_author_ids"] == [""]
    assert last["history_tags"] == [""]


@pytest.mark.parametrize("turn", [1, -1])
def test_one_video_twice_at_a_time_is_ordered_by_author_and_tag(turn):
    twice = [
        impression(author_id="q", video_tags=["s"]),
        impression(author_id="p", video_tags=["u"]),
        impression(author_id="p", video_tags=["t"]),
    ]
    last = by_time([*twice[::turn], impression(at=1)])[-1]
    assert last["history_author_ids"] == ["p", "p", "q"]
    assert last["history_tags"] == ["t", "u", "s"]


@pytest.mark.parametrize(
    ("gap", "group"),
    [
        (8 * DAY + DAY // 2 - 1, "returning"),
        (7 * DAY + DAY // 2, "returning"),  # the next day's first millisecond
        (7 * DAY + DAY // 2 - 1, "inactive"),
        (DAY, "inactive"),
        (1, "regular"),  # active today only: none of the 7 days before
    ],
)
def test_user_groups_by_the_last_active_day(gap, group):
    noon = -(START % DAY) + DAY // 2
    log = [impression(at=noon), impression(at=noon + gap)]
    assert by_time(log)[-1]["user_group"] == group


def test_a_user_is_returning_for_the_whole_day():
    noon = -(START % DAY) + DAY // 2
    back = [noon + 9 * DAY + minutes * 60_000 for minutes in (0, 1, 700)]
    next_day = noon + 10 * DAY
    log = [impression(at=at) for at in (noon, *back, next_day)]
    groups = [row["user_group"] for row in by_time(log)]
    assert groups == ["regular", "returning", "returning", "returning", "inactive"]


def test_views_before_the_log_tell_no_day_to_return_from():
    row = by_time([impression(prior_view_count=500)])[0]
    assert (row["avc"], row["user_group"]) == (500, "regular")


def test_a_new_user_is_new_before_returning():
    log = [impression(at=at, user_first_launch_ms=START) for at in (0, 20 * DAY)]
    config = FeatureConfig(labels=LABELS, new_user={"max_hours": 24 * 30})
    assert [row["user_group"] for row in by_time(log, config)] == ["new", "new"]


def test_the_whole_day_on_which_a_user_comes_back_is_returning():
    log = [impression(at=at) for at in (0, 20 * DAY, 20 * DAY + 1, 20 * DAY + HOUR)]
    groups = [row["user_group"] for row in by_time(log)]
    assert groups == ["regular", "returning", "returning", "returning"]


def test_views_of_unknown_days_make_nobody_a_returning_user():
    log = [impression(prior_view_count=40), impression(at=1, prior_view_count=40)]
    assert [row["user_group"] for row in by_time(log)] == ["regular", "regular"]


def test_three_active_days_make_a_regular_user():
    log = [impression(at=day * DAY) for day in range(4)]
    last = by_time(log)[-1]
    assert last["active_days_7"] == 3
    assert last["user_group"] == "regular"


def test_new_by_hours_includes_the_limit_and_needs_a_known_launch():
    launch = START - DAY
    on, after, unknown = (
        by_time([impression(at=at, user_first_launch_ms=known)])[0]
        for at, known in [(0, launch), (1, launch), (0, None)]
    )
    assert [on["is_new_user"], after["is_new_user"], unknown["is_new_user"]] == [
        1,
        0,
        0,
    ]
    assert on["user_group"] == "new"
    assert unknown["hours_since_first_launch"] is None


def test_max_avc_wins_over_max_hours():
    config = FeatureConfig(
        new_user={"max_avc": 1, "max_hours": 1}, labels=LABELS, history_length=1
    )
    log = [impression(at=i) for i in range(3)]
    assert [row["is_new_user"] for row in by_time(log, config)] == [1, 1, 0]


def test_prior_views_are_added_to_the_avc():
    assert by_time([impression(prior_view_count=7)])[0]["avc"] == 7


def test_a_video_uploaded_after_its_impression_has_no_age():
    row = by_time([impression(video_upload_ms=START + 1)])[0]
    assert row["video_age_hours"] is None
    assert row["is_new_video"] == 0


def test_a_new_video_is_young_and_little_seen():
    config = FeatureConfig(
        new_video={"max_days": 1, "max_impressions": 2}, labels=LABELS
    )
    log = [impression(f"u{i}", at=i, video_upload_ms=START) for i in range(3)]
    assert [row["is_new_video"] for row in by_time(log, config)] == [1, 1, 0]
    late = [impression(at=DAY + 1, video_upload_ms=START)]
    assert by_time(late, config)[0]["is_new_video"] == 0


def test_days_begin_where_the_users_live():
    before_midnight_in_china = -(START % DAY) + 16 * HOUR - 1
    log = [
        impression(at=before_midnight_in_china),
        impression(at=before_midnight_in_china + 2),
    ]
    utc = by_time(log)[-1]
    china = by_time(log, FeatureConfig(labels=LABELS, utc_offset_hours=8))[-1]
    assert (utc["active_days_7"], china["active_days_7"]) == (0, 1)


def test_days_follow_the_clocks_of_a_time_zone():
    # Half past midnight in Berlin, on each day; the clocks go forward on the 27th.
    utc = ["24T23:30", "25T23:30", "26T23:30", "27T22:30", "28T22:30"]
    times = [
        datetime.datetime.fromisoformat(f"2022-03-{time}+00:00").timestamp() * 1000
        for time in utc
    ]
    log = [impression(at=round(time) - START) for time in times]

    def active_days(**calendar):
        config = FeatureConfig(labels=LABELS, **calendar)
        return [row["active_days_7"] for row in by_time(log, config)]

    assert active_days(time_zone="Europe/Berlin") == [0, 1, 2, 3, 4]
    assert active_days(utc_offset_hours=1) == [0, 1, 2, 2, 3]


def test_only_state_before_an_impression_counts():
    state = pa.Table.from_pylist(
        [
            {
                "user_id": "a",
                "view_count": 5,
                "active_days": [],
                "video_ids": ["old", "late"],
                "author_ids": [None, None],
                "tags": [None, None],
                "times_ms": [START - 1, START],
                "long_views": [None, True],
            }
        ],
        schema=USER_STATE_SCHEMA,
    )
    row = by_time([impression()], user_state=state)[0]
    assert row["history_video_ids"] == ["old"]
    assert row["avc"] == 4


def test_state_items_of_one_time_keep_their_order():
    state = pa.Table.from_pylist(
        [
            {
                "user_id": "a",
                "view_count": 3,
                "active_days": [],
                "video_ids": ["z", "x", "y"],
                "author_ids": ["p"] * 3,
                "tags": ["t"] * 3,
                "times_ms": [START - 1] * 3,
                "long_views": [True] * 3,
            }
        ],
        schema=USER_STATE_SCHEMA,
    )
    row = by_time([impression()], user_state=state)[0]
    assert row["history_video_ids"] == ["z", "x", "y"]


def test_a_history_longer_than_a_block_of_rows(monkeypatch):
    monkeypatch.setattr("preprocessing.features.history._BLOCK_ELEMENTS", 7)
    config = FeatureConfig(history_length=3, labels=LABELS)
    log = [impression(video=f"v{i % 5}", at=i) for i in range(20)]
    features, _ = features_of(log, config)
    assert features == in_columns(slow_features(log, config), config)


def test_schema_marks_what_every_impression_has():
    schema = feature_schema(FeatureConfig(labels=LABELS))
    optional = {field.name for field in schema if field.nullable}
    assert {"hours_since_first_launch", "video_age_hours", "author_id"} <= optional
    assert not optional & {"user_id", "avc", "user_group", "long_view", "play_time_ms"}


def test_a_label_of_its_columns_name_is_that_column():
    config = FeatureConfig(labels={"long_view": {"column": "long_view"}})
    assert feature_schema(config).names.count("long_view") == 1
    log = [{**impression(), "long_view": 1}]
    assert by_time(log, config)[0]["long_view"] == 1


def test_an_enormous_user_is_one_shard():
    count = 20_000
    config = FeatureConfig(labels=LABELS, history_length=30)
    log = [impression(video=f"v{i % 7}", at=i) for i in range(count)]
    features = by_time(log, config)
    np.testing.assert_array_equal([row["avc"] for row in features], np.arange(count))
