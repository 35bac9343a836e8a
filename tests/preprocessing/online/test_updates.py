"""Impressions one by one, late and repeated, against the engine on the whole log."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import USER_FEATURES
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.engine.in_memory import compute_features
from preprocessing.online.updates import (
    KnownUsers,
    add_impressions,
    advance_state,
    compute_features_of_known,
    rebase,
)
from preprocessing.state.schema import USER_STATE_SCHEMA
from tests.helpers.log_rows import (
    HOUR,
    START,
    configs,
    impression,
    in_order,
    log_table,
    logs,
)

USERS = ["a", "b", "c10", "c9"]
FOREVER = 10**15
END = START + 91 * 6 * HOUR


def accepted(log, config, source="log"):
    return validate(log_table(log, config), source, 0, config).accepted


def engine(log, config):
    return compute_features([accepted(log, config)], config)


def known_after(log, config, through_ms):
    return KnownUsers(
        dict.fromkeys(USERS, through_ms),
        engine(log, config).user_state,
        impression_schema(config).empty_table(),
    )


def of_user(known, user):
    return KnownUsers(
        {user: known.watermark_ms[user]},
        known.state.filter(pa.compute.equal(known.state["user_id"], user)),
        known.pending.filter(pa.compute.equal(known.pending["user_id"], user)),
    )


def exported(known, config):
    return in_order(advance_state(known.state, known.pending, config).to_pylist())


def distinct(log):
    return [row for i, row in enumerate(log) if row not in log[:i]]


@st.composite
def streams(draw):
    """A log: what the state has seen, and the rest in batches, in any order."""
    log = draw(logs)
    border = START + draw(st.integers(-1, 91)) * 6 * HOUR
    first = [row for row in log if row["event_time_ms"] <= border]
    rest = draw(st.permutations([r for r in log if r["event_time_ms"] > border]))
    rest += draw(st.lists(st.sampled_from(rest), max_size=5)) if rest else []
    cuts = sorted(draw(st.lists(st.integers(0, len(rest)), max_size=6)))
    ends = zip([0, *cuts], [*cuts, len(rest)], strict=True)
    return first, border, [rest[start:end] for start, end in ends]


def expected_features(log, user, time_ms, config):
    """The engine's features of an impression of the user at that moment."""
    earlier = [row for row in log if row["event_time_ms"] < time_ms]
    row = impression(user, "x", at=time_ms - START)
    mine = [r for r in distinct(earlier) if r["user_id"] == user]
    for name in ("prior_view_count", "user_first_launch_ms"):
        given = [(r["event_time_ms"], r[name]) for r in mine if r[name] is not None]
        row[name] = max(given)[1] if given else None
    table = engine([*earlier, row], config).features.to_pylist()
    (found,) = [r for r in table if r["event_time_ms"] == time_ms]
    return {name: found[name] for name in USER_FEATURES}


@given(stream=streams(), config=configs, user=st.sampled_from(USERS), data=st.data())
def test_in_any_order_and_with_repeats_it_is_the_engine_on_the_whole_log(
    stream, config, user, data
):
    first, border, batches = stream
    known = known_after(first, config, border)
    log, repeats = list(first), 0
    for batch in batches:
        known, counted, rejects = add_impressions(
            known, accepted(batch, config, "batch"), FOREVER, config
        )
        assert counted.num_rows + rejects.num_rows == len(batch)
        repeats += rejects.num_rows
        log += batch
    after = [row for batch in batches for row in batch]
    assert repeats == len(after) - len(distinct(after))
    whole = engine(log, config)
    assert exported(known, config) == in_order(whole.user_state.to_pylist())
    # Also the moments of impressions: what happens at that moment is not seen.
    first_step = (border - START) // (6 * HOUR) + 1
    step = data.draw(st.integers(first_step, 91 + 4 * 20))
    time_ms = START + step * 6 * HOUR + data.draw(st.sampled_from([0, 1, HOUR]))
    actual = compute_features_of_known(user, time_ms, of_user(known, user), config)
    assert actual == expected_features(log, user, time_ms, config)


@given(
    stream=streams(),
    config=configs,
    user=st.sampled_from(USERS),
    lateness_h=st.sampled_from([0, 5, 6, 30, 24 * 8]),
)
def test_with_little_lateness_it_is_the_engine_on_what_counted(
    stream, config, user, lateness_h
):
    first, border, batches = stream
    known = known_after(first, config, border)
    lateness_ms, latest = lateness_h * HOUR, {}
    log = list(first)
    for batch in batches:
        known, counted, rejects = add_impressions(
            known, accepted(batch, config, "batch"), lateness_ms, config
        )
        log += counted.to_pylist()
        for row in known.pending.to_pylist():
            assert row["event_time_ms"] > known.watermark_ms[row["user_id"]]
        in_time = [
            row
            for row in batch
            if row["event_time_ms"] > latest.get(row["user_id"], -FOREVER) - lateness_ms
        ]
        late = [r for r in rejects["reason"].to_pylist() if "not after" in r]
        assert len(late) == len(batch) - len(in_time)
        for row in in_time:
            moment = max(latest.get(row["user_id"], 0), row["event_time_ms"])
            latest[row["user_id"]] = moment
    whole = engine(log, config)
    assert exported(known, config) == in_order(whole.user_state.to_pylist())
    time_ms = END + 3 * HOUR
    actual = compute_features_of_known(user, time_ms, of_user(known, user), config)
    assert actual == expected_features(log, user, time_ms, config)


@given(stream=streams(), config=configs, newer=st.integers(0, 91))
def test_on_a_newer_state_it_is_the_engine_on_the_whole_log(stream, config, newer):
    first, border, batches = stream
    known, log = known_after(first, config, border), list(first)
    for batch in batches:
        known, counted, _ = add_impressions(
            known, accepted(batch, config, "batch"), FOREVER, config
        )
        log += counted.to_pylist()
    through = max(border, START + newer * 6 * HOUR)
    seen = [row for row in log if row["event_time_ms"] <= through]
    known = rebase(known, engine(seen, config).user_state, through, config)
    assert set(known.watermark_ms.values()) == {through}
    times = known.pending["event_time_ms"].to_pylist()
    assert all(time > through for time in times)
    whole = engine(log, config)
    assert exported(known, config) == in_order(whole.user_state.to_pylist())


def test_a_user_who_has_seen_more_than_the_newer_state_stays():
    config = FeatureConfig()
    known = KnownUsers(
        {"a": START - 1},
        USER_STATE_SCHEMA.empty_table(),
        impression_schema(config).empty_table(),
    )
    new = accepted([impression(at=0), impression(at=10)], config)
    known = add_impressions(known, new, 5, config).users
    assert known.watermark_ms == {"a": START + 5}
    older = engine([impression(at=0)], config).user_state
    same = rebase(known, older, START + 3, config)
    assert exported(same, config)[0]["view_count"] == 2
    assert same == known


def test_late_and_repeated_impressions_come_back_with_their_reasons():
    config = FeatureConfig()
    known = known_after([impression(at=0)], config, START)
    rows = [impression(at=50), impression(at=100), impression(at=100)]
    known, counted, rejects = add_impressions(
        known, accepted(rows, config, "app"), 40, config
    )
    assert counted.num_rows == 2
    assert rejects.to_pylist()[0]["source"] == "app"
    assert rejects["reason"].to_pylist() == [
        "equal to another row in all columns that are read (the contract's)"
    ]
    again = accepted([impression(at=50), impression(at=61)], config, "app")
    known, counted, rejects = add_impressions(known, again, 40, config)
    assert counted["event_time_ms"].to_pylist() == [START + 61]
    assert rejects["reason"].to_pylist() == [
        f"event_time_ms is not after {START + 60}, until which the user's state is "
        "closed"
    ]
    assert exported(known, config)[0]["view_count"] == 4


def test_a_moment_that_the_state_has_seen_is_refused():
    config = FeatureConfig()
    known = of_user(known_after([impression(at=0)], config, START), "a")
    assert compute_features_of_known("a", START + 1, known, config)["avc"] == 1
    with pytest.raises(ValueError, match=r"must be later .* Received: "):
        compute_features_of_known("a", START, known, config)


def test_what_happens_at_that_moment_is_not_seen():
    config = FeatureConfig(history_length=1)
    known = known_after([], config, START - 1)
    rows = [impression(video="v1", at=0), impression(video="v2", at=10)]
    known = add_impressions(known, accepted(rows, config), FOREVER, config).users
    features = compute_features_of_known("a", START + 10, of_user(known, "a"), config)
    assert (features["avc"], features["history_video_ids"]) == (1, ["v1"])
