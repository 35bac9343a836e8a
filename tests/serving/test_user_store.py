import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing import run_features
from preprocessing.config import FeatureConfig, SourceConfig
from preprocessing.state import StateError
from serving.user_store import UserStore

HOUR = 3_600_000
START = 1_650_000_000_000
FEATURES = FeatureConfig(labels={"like": {"column": "is_like"}}, history_length=2)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Two users: one with three views, the other with one."""
    folder = tmp_path_factory.mktemp("state")
    log = pa.table(
        {
            "user_id": ["anna", "anna", "anna", "ben"],
            "video_id": ["v1", "v2", "v3", "v1"],
            "event_time_ms": [START, START + HOUR, START + 2 * HOUR, START],
            "is_like": [0, 1, 0, 0],
            "user_first_launch_ms": [START - HOUR] * 3 + [None],
            "prior_view_count": [None, None, None, 40],
        }
    )
    (folder / "log").mkdir()
    pq.write_table(log, folder / "log" / "part.parquet")
    source = SourceConfig(format="parquet")
    run_features(source, FEATURES, str(folder / "log"), str(folder / "out"))
    return str(folder / "out")


def test_gives_a_users_features_at_a_moment(state):
    store = UserStore(state, FEATURES)
    anna = store.features("anna", START + 3 * HOUR)
    assert anna["user_id"] == "anna"
    assert (anna["avc"], anna["hours_since_first_launch"]) == (3, 4.0)
    assert anna["history_video_ids"] == ["v2", "v3"]
    assert anna["history_gap_ms"] == [2 * HOUR, HOUR]
    assert (anna["is_new_user"], anna["user_group"]) == (1, "new")
    assert store.features("anna", START + 24 * HOUR)["active_days_7"] == 1
    assert store.features("ben", START + 3 * HOUR)["avc"] == 41


def test_a_user_who_was_never_seen_has_no_history(state):
    store = UserStore(state, FEATURES)
    assert "carl" not in store
    assert len(store) == 2
    carl = store.features("carl", START + 3 * HOUR)
    assert (carl["avc"], carl["history_video_ids"]) == (0, [])
    assert carl["hours_since_first_launch"] is None


def test_a_moment_before_the_state_ends_is_refused(state):
    store = UserStore(state, FEATURES)
    with pytest.raises(ValueError, match=r"`time_ms` must be later .* Received: "):
        store.features("anna", START + 2 * HOUR)


def test_another_configuration_and_a_missing_state_are_refused(state, tmp_path):
    other = FEATURES.model_copy(update={"utc_offset_hours": 8})
    with pytest.raises(StateError, match="utc_offset_hours"):
        UserStore(state, other)
    with pytest.raises(StateError, match="holds no state"):
        UserStore(str(tmp_path), FEATURES)
