"""Laws of the rates: no order, no shards, no cuts; and nothing of what comes later."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from poso_keras import gauc
from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine import disk_shuffle
from preprocessing.engine.in_memory import compute_features
from tests.helpers.log_rows import (
    HOUR,
    START,
    features_of,
    impression,
    in_order,
    log_table,
)
from tests.helpers.rate_cases import rate_cases, rated, rates_of
from tests.helpers.user_state import engine, write_state

DAY = 24 * HOUR
LIKE = FeatureConfig(labels={"like": {"column": "is_like"}})


def one_run(log, config, states=None):
    accepted = validate(log_table(log, config), "log", 0, config).accepted
    return compute_features([accepted], config, *(states or ()))


def state_of(done):
    return in_order(done.rate_state.to_pylist())


@given(case=rate_cases(), data=st.data())
def test_order_shards_and_files_change_nothing(case, data):
    log, config = case
    shards = data.draw(st.sampled_from([1, 3, 16]))
    other = config.model_copy(update={"shards": shards})
    shuffled = data.draw(st.permutations(log))
    parts = data.draw(st.integers(1, 4))
    assert features_of(shuffled, other, parts) == features_of(log, config)
    assert state_of(one_run(shuffled, other)) == state_of(one_run(log, config))


@given(
    case=rate_cases(),
    cuts=st.lists(st.integers(1, 90), unique=True, max_size=6).map(sorted),
)
def test_a_log_cut_anywhere_gives_the_same_through_the_state(case, cuts):
    log, config = case
    whole = one_run(log, config)
    ends = [START + cut * 6 * HOUR for cut in cuts]
    states, examples = None, []
    for begin, end in zip([0, *ends], [*ends, 10**15], strict=True):
        part = [row for row in log if begin <= row["event_time_ms"] < end]
        done = one_run(part, config, states)
        states = done.user_state, done.video_state, done.rate_state
        examples += done.features.to_pylist()
    assert in_order(examples) == in_order(whole.features.to_pylist())
    assert state_of(done) == state_of(whole)


@given(case=rate_cases(), cut=st.integers(0, 90))
def test_what_comes_later_changes_no_row_before_it(case, cut):
    log, config = case
    end = START + cut * 6 * HOUR
    past = [row for row in log if row["event_time_ms"] < end]
    seen = [row for row in rates_of(log, config) if row["event_time_ms"] < end]
    assert rates_of(past, config) == seen


@given(case=rate_cases(), data=st.data())
def test_labels_of_a_time_change_nothing_at_or_before_it(case, data):
    log, config = case
    assume(log)
    time = data.draw(st.sampled_from([row["event_time_ms"] for row in log]))
    turned = [
        {**row, "is_like": 1 - (row["is_like"] or 0), "play_time_ms": 3}
        if row["event_time_ms"] >= time
        else row
        for row in log
    ]
    assume(all(row not in turned[:i] for i, row in enumerate(turned)))
    before = [r for r in rates_of(log, config) if r["event_time_ms"] <= time]
    after = [r for r in rates_of(turned, config) if r["event_time_ms"] <= time]
    assert after == before


@given(case=rate_cases(), days=st.integers(-40, 40))
def test_a_log_some_days_later_has_the_same_rates(case, days):
    log, config = case
    assume(config.time_zone is None)
    moved = [{**row, "event_time_ms": row["event_time_ms"] + days * DAY} for row in log]
    names = config.rate_columns
    found = [[r[n] for n in names] for r in rates_of(moved, config)]
    assert sorted(found) == sorted([r[n] for n in names] for r in rates_of(log, config))


def test_shards_that_wait_on_the_disk_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_shuffle, "_BUFFERED_ROWS", 5)
    log = [
        impression(f"u{i % 4}", f"v{i % 5}", i, author_id=f"a{i % 3}", video_tags=tags)
        for i, tags in enumerate([["s"], ["t", "s"], [], ["t"]] * 8)
    ]
    config = rated(LIKE, {}, shards=2)
    out = write_state(tmp_path, log, config)
    expected = in_order(engine(log, config).features.to_pylist())
    assert in_order(pq.read_table(f"{out}/features").to_pylist()) == expected


def many_impressions(labels_of, seed):
    """Users, videos and labels of 6,000 impressions on ten days."""
    draw = np.random.default_rng(seed)
    users, videos = draw.integers(0, 60, 6000), draw.integers(0, 40, 6000)
    times = np.sort(draw.integers(0, 10 * DAY, 6000))
    labels = labels_of(users, videos, draw)
    return [
        impression(f"u{u}", f"v{v}", int(t), is_like=int(label), author_id=f"a{v % 9}")
        for u, v, t, label in zip(users, videos, times, labels, strict=True)
    ]


def gaucs(log):
    config = rated(LIKE, {"subjects": {"video": {}, "author": {}, "user_x_author": {}}})
    rows = one_run(log, config).features.to_pylist()
    labels, users = ([row[n] for row in rows] for n in ("is_like", "user_id"))
    return {
        name: gauc(labels, [row[name] for row in rows], users).value
        for name in config.rate_columns
        if name.endswith("_rate")
    }


def test_rates_predict_what_videos_decide():
    def by_video(users, videos, draw):
        return draw.random(len(users)) < 0.1 + 0.8 * (videos % 9) / 8

    found = gaucs(many_impressions(by_video, seed=5))
    assert found["video_like_rate"] > 0.7
    assert found["author_like_rate"] > 0.7


@pytest.mark.parametrize("seed", [1, 2])
def test_rates_of_shuffled_labels_predict_nothing(seed):
    def by_chance(users, videos, draw):
        return draw.random(len(users)) < 0.3

    # Within a user 6,000 labels by chance give a GAUC within 0.025 of 0.5.
    for name, value in gaucs(many_impressions(by_chance, seed)).items():
        assert abs(value - 0.5) < 0.025, name
