import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from log_rows import HOUR, START, configs, features_of, log_table, logs, rows

from preprocessing.column_names import USER_FEATURES
from preprocessing.feature_table import compute_features
from preprocessing.online_features import user_features_at
from preprocessing.state import USER_STATE_SCHEMA
from preprocessing.validation import validate


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
    actual = user_features_at(
        row["user_id"],
        row["event_time_ms"],
        pa.Table.from_pylist(own, USER_STATE_SCHEMA),
        config,
    )
    assert actual == {name: expected[name] for name in USER_FEATURES}
