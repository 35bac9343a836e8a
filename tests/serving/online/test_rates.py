"""Rates of the user store on a day that is replayed, against the engine's."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig
from preprocessing.sources.catalogue import video_schema
from preprocessing.state.schema import StateError
from serving.online.storage import Swap
from serving.online.user_store import UserStore
from tests.helpers.log_rows import HOUR, LABELS, START, impression, log_table
from tests.helpers.rate_cases import rate_cases, rated
from tests.helpers.user_state import engine, write_state

FOREVER = 10**15
DAY = 24 * HOUR


def asked(store, log, config):
    """The rates that a store gives before each row, which it then observes."""
    found = []
    for time_ms in sorted({row["event_time_ms"] for row in log}):
        rows = [row for row in log if row["event_time_ms"] == time_ms]
        for row in rows:
            video = log_table([row], config).select(video_schema(config).names)
            rates = store.rates(row["user_id"], video, time_ms)
            found.append({**_key(row), **{n: v for n, (v,) in rates.items()}})
        store.observe(rows)
    return sorted(found, key=repr)


def computed(log, config, after_ms):
    """The engine's rates of the rows after a time."""
    return sorted(
        (
            {**_key(row), **{name: row[name] for name in config.rate_columns}}
            for row in engine(log, config).features.to_pylist()
            if row["event_time_ms"] > after_ms
        ),
        key=repr,
    )


def _key(row):
    return {name: row[name] for name in ("user_id", "video_id", "event_time_ms")}


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(case=rate_cases(), cut=st.integers(-1, 90))
def test_replayed_impressions_have_the_engines_rates(case, cut, new_storage, tmp_path):
    log, config = case
    border = START + cut * 6 * HOUR
    first = [row for row in log if row["event_time_ms"] <= border]
    first = [*first, impression("z", "z", at=border - START)]  # sets the state's end
    rest = [row for row in log if row["event_time_ms"] > border]
    state = write_state(tmp_path / uuid.uuid4().hex, first, config)
    expected = computed([*first, *rest], config, border)
    stores = [
        UserStore(state, config, new_storage(), allowed_lateness_ms=FOREVER),
        UserStore(None, config, new_storage(), allowed_lateness_ms=FOREVER),
    ]
    stores[1].load(state)
    for store in stores:
        assert asked(store, rest, config) == expected
        store.close()


RATED = rated(
    FeatureConfig(labels=LABELS),
    {
        "labels": ["like"],
        "subjects": {"video": {}, "user": {}, "tag": {"half_life_days": 3}},
    },
)


def video_rows(config, **values):
    return log_table([impression(**values)], config).select(video_schema(config).names)


def test_without_a_state_counts_begin_with_what_is_observed(new_storage):
    log = [impression(at=at, is_like=at % 2) for at in (0, 1, DAY, 2 * DAY, 2 * DAY)]
    log = [row for i, row in enumerate(log) if row not in log[:i]]
    store = UserStore(None, RATED, new_storage(), allowed_lateness_ms=FOREVER)
    assert asked(store, log, RATED) == computed(log, RATED, 0)


def test_days_after_a_states_end_outlive_the_next_state(new_storage, tmp_path):
    begin = DAY - START % DAY  # of the day after START's
    times = (0, begin, begin + DAY, begin + 2 * DAY)
    days = [[impression(at=at, is_like=1)] for at in times]
    first = write_state(tmp_path / "first", days[0], RATED)
    store = UserStore(None, RATED, new_storage(), allowed_lateness_ms=FOREVER)
    store.load(first)
    for day in days[1:3]:
        store.observe(day)
    # The second day's run is done when the third day is under way.
    store.load(write_state(tmp_path / "second", [*days[0], *days[1]], RATED))
    log = [row for day in days for row in day]
    expected = computed(log, RATED, after_ms=START + times[2])
    assert asked(store, days[3], RATED) == expected


def test_an_impression_given_twice_counts_once(new_storage):
    store = UserStore(None, RATED, new_storage())
    for _ in range(2):
        store.observe([impression(is_like=1)])
    found = store.rates("a", video_rows(RATED), START + DAY)
    assert found["video_like_count"] == found["user_like_count"] == [1]


def test_a_moment_that_is_not_after_the_state_is_an_error(new_storage, tmp_path):
    state = write_state(tmp_path, [impression()], RATED)
    store = UserStore(state, RATED, new_storage())
    with pytest.raises(ValueError, match=f"later than .* at {START}"):
        store.rates("a", video_rows(RATED), START)
    assert store.rates("a", video_rows(RATED), START + 1)["video_like_count"] == [1]


def test_no_candidates_have_no_rates(new_storage):
    store = UserStore(None, RATED, new_storage())
    none = video_rows(RATED).slice(0, 0)
    assert set(map(tuple, store.rates("a", none, START).values())) == {()}


def test_a_store_that_counted_something_else_is_refused(lasting_storage):
    UserStore(None, RATED, lasting_storage("one")).close()
    other = rated(RATED, {"labels": ["like"], "subjects": {"video": {}}})
    for config in (other, rated(RATED, None)):
        with pytest.raises(StateError, match=r"features\.rates"):
            UserStore(None, config, lasting_storage("one"))
    smoothed = rated(RATED, {**RATED.rates.model_dump(), "strength": 3})
    UserStore(None, smoothed, lasting_storage("one")).close()


def test_counters_are_added_with_their_record_or_not_at_all(new_storage):
    storage = new_storage()
    swap = Swap("a", None, b"1", {"v": 1}, {"day 1": {"k": 2}, "day 2": {"k": 3}})
    assert storage.swap([swap, swap], "videos") == [True, False]
    assert storage.video_impressions(["v", "k"], "videos") == [1, 0]
    assert storage.video_impressions(["v", "k"], "day 1") == [0, 2]
    assert storage.video_impressions(["k"], "day 2") == [3]
