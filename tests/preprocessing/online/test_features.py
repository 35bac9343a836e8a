import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import USER_FEATURES, VIDEO_FEATURES
from preprocessing.engine.in_memory import compute_features
from preprocessing.online.features import (
    compute_user_features_at,
    compute_video_features_at,
)
from preprocessing.sources.catalogue import video_schema
from preprocessing.state.schema import USER_STATE_SCHEMA
from tests.helpers.log_rows import (
    HOUR,
    START,
    configs,
    features_of,
    log_table,
    logs,
    rows,
)


def state_after(log, config):
    accepted = validate(log_table(log, config), "log", 0, config).accepted
    return compute_features([accepted], config).user_state.to_pylist()


@given(log=logs, config=configs, row=rows, days=st.integers(1, 40))
def test_equals_what_the_engine_gives_the_users_next_impression(log, config, row, days):
    row = {**row, "event_time_ms": START + 90 * 6 * HOUR + days * 11 * HOUR}
    own = [
        state
        for state in state_after(log, config)
        if state["user_id"] == row["user_id"]
    ]
    for name in ("prior_view_count", "user_first_launch_ms"):
        row[name] = own[0][name] if own else None  # as serving knows them
    table, _ = features_of([*log, row], config)
    (expected,) = [r for r in table if r["event_time_ms"] == row["event_time_ms"]]
    actual = compute_user_features_at(
        row["user_id"],
        row["event_time_ms"],
        pa.Table.from_pylist(own, USER_STATE_SCHEMA),
        config,
    )
    assert actual == {name: expected[name] for name in USER_FEATURES}


@given(log=logs, config=configs, row=rows)
def test_equals_what_the_engine_gives_videos_at_that_moment(log, config, row):
    """Every video of the log, once more after it."""
    now = START + 91 * 6 * HOUR
    last = {other["video_id"]: other for other in [*log, row]}
    candidates = [
        {**other, "user_id": f"nobody {name}", "event_time_ms": now}
        for name, other in last.items()
    ]
    accepted = validate(log_table(log, config), "log", 0, config).accepted
    state = compute_features([accepted], config).video_state.to_pylist()
    seen = {video["video_id"]: video["impressions"] for video in state}
    table, _ = features_of([*log, *candidates], config)
    expected = {r["video_id"]: r for r in table if r["event_time_ms"] == now}
    schema = video_schema(config)
    videos = pa.Table.from_pylist(
        [{name: other[name] for name in schema.names} for other in last.values()],
        schema,
    )
    actual = compute_video_features_at(
        videos, [seen.get(v, 0) for v in last], now, config
    )
    assert actual["video_id"] == list(last)
    for name in ("author_id", "video_tags", *VIDEO_FEATURES):
        assert actual[name] == [expected[video][name] for video in last]
