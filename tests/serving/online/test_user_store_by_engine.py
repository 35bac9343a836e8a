import uuid

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preprocessing.contract.column_names import USER_FEATURES
from preprocessing.state.schema import USER_STATE_SCHEMA
from serving.online.user_store import UserStore
from tests.helpers.log_rows import HOUR, START, configs, impression, in_order, logs
from tests.helpers.user_state import engine, write_state

FOREVER = 10**15
END = START + 91 * 6 * HOUR
USERS = ["a", "b", "c10", "c9"]


@st.composite
def streams(draw):
    """A log: what the state has seen, and the rest in batches, in any order."""
    log = draw(logs)
    border = START + draw(st.integers(-1, 60)) * 6 * HOUR
    first = [row for row in log if row["event_time_ms"] <= border]
    rest = draw(st.permutations([r for r in log if r["event_time_ms"] > border]))
    cuts = sorted(draw(st.lists(st.integers(0, len(rest)), max_size=4)))
    ends = zip([0, *cuts], [*cuts, len(rest)], strict=True)
    return first, border, [rest[start:end] for start, end in ends]


def expected_features(log, user, time_ms, config):
    earlier = [row for row in log if row["event_time_ms"] < time_ms]
    row = impression(user, at=time_ms - START)
    (known,) = [
        state
        for state in engine(earlier, config).user_state.to_pylist()
        if state["user_id"] == user
    ] or [{}]
    for name in ("prior_view_count", "user_first_launch_ms"):
        row[name] = known.get(name)
    table = engine([*earlier, row], config).features.to_pylist()
    (found,) = [r for r in table if r["event_time_ms"] == time_ms]
    return {name: found[name] for name in USER_FEATURES}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(stream=streams(), config=configs, user=st.sampled_from(USERS), data=st.data())
def test_state_and_observed_impressions_are_the_engine_on_the_whole_log(
    stream, config, user, data, new_storage, tmp_path
):
    first, border, batches = stream
    # A row that sets the state's end, whatever the log has.
    first = [*first, impression("z", at=border - START)]
    state = write_state(tmp_path / uuid.uuid4().hex, first, config)
    stores = [
        UserStore(state, config, new_storage(), allowed_lateness_ms=FOREVER),
        UserStore(None, config, new_storage(), allowed_lateness_ms=FOREVER),
    ]
    stores[1].load(state)
    log = [*first, *(row for batch in batches for row in batch)]
    whole = engine(log, config)
    step = data.draw(st.integers(border // HOUR + 1, END // HOUR + 24 * 20))
    time_ms = step * HOUR + HOUR // 2 + 1
    expected = expected_features(log, user, time_ms, config)
    counts = {r["video_id"]: r["impressions"] for r in whole.video_state.to_pylist()}
    for store in stores:
        for batch in batches:
            store.observe(batch)
        assert store.features(user, time_ms) == {"user_id": user, **expected}
        exported = store.export_state()
        assert exported.schema.equals(USER_STATE_SCHEMA)
        assert in_order(exported.to_pylist()) == in_order(whole.user_state.to_pylist())
        assert store.video_impressions(list(counts)) == counts
        store.close()
