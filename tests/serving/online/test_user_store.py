import json

import pytest

from preprocessing.state.schema import StateError
from preprocessing.storage.files import SourceError
from serving.online.sqlite_storage import SqliteStorage
from serving.online.user_store import UserStore
from tests.helpers.log_rows import HOUR, START, impression, log_table
from tests.helpers.user_state import FEATURES


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
    assert "anna" in store
    assert "carl" not in store
    assert len(store) == 2
    carl = store.features("carl", START + 3 * HOUR)
    assert (carl["avc"], carl["history_video_ids"]) == (0, [])
    assert carl["hours_since_first_launch"] is None


def test_a_moment_before_the_state_ends_is_refused(state):
    store = UserStore(state, FEATURES)
    for user in ("anna", "carl"):
        with pytest.raises(ValueError, match=r"`time_ms` must be later .* Received: "):
            store.features(user, START + 2 * HOUR)


def test_another_configuration_and_a_missing_state_are_refused(state, tmp_path):
    other = FEATURES.model_copy(update={"utc_offset_hours": 8})
    with pytest.raises(StateError, match="utc_offset_hours"):
        UserStore(state, other)
    with pytest.raises(StateError, match="holds no state"):
        UserStore(str(tmp_path), FEATURES)


@pytest.mark.parametrize("calendar", ["Europe/Berlin", "Etc/UTC"])
def test_days_of_a_time_zone_are_refused_where_they_were_counted_in_utc(
    state, calendar
):
    other = FEATURES.model_copy(update={"time_zone": calendar})
    with pytest.raises(StateError, match=f"offset_hours 0. .*time_zone {calendar}"):
        UserStore(state, other)


def test_a_store_knows_the_time_zone_that_it_was_made_with():
    storage = SqliteStorage()
    berlin = FEATURES.model_copy(update={"time_zone": "Europe/Berlin"})
    UserStore(None, berlin, storage)
    UserStore(None, berlin, storage)
    with pytest.raises(StateError, match=r"time_zone Europe/Berlin\. Received: None"):
        UserStore(None, FEATURES, storage)


def test_a_store_of_before_there_were_names_of_time_zones_is_taken():
    storage = SqliteStorage()
    earlier = json.loads(FEATURES.model_dump_json(include={"history_of", "extra"}))
    labels = {"like": {"column": "is_like", "at_least": None, "rule": None}}
    earlier |= {"utc_offset_hours": 0.0, "labels": labels}
    storage.set_note_once("settings", json.dumps(earlier))
    UserStore(None, FEATURES, storage)


def both_ways(state, new_storage, **options):
    """A store on the state in memory, and one with the state loaded."""
    beside = UserStore(state, FEATURES, new_storage(), **options)
    loaded = UserStore(None, FEATURES, new_storage(), **options)
    told = []
    assert loaded.load(state, lambda *counts: told.append(counts)) == 2
    assert told == [(2, 2)]
    return beside, loaded


def test_what_was_observed_is_seen(state, new_storage):
    for store in both_ways(state, new_storage):
        assert store.watermark_ms == START + 2 * HOUR
        assert store.video_impressions(["v1", "v9"]) == {"v1": 2, "v9": 0}
        done = store.observe(
            [
                impression("anna", "v1", at=3 * HOUR),
                impression("carl", "v9", at=3 * HOUR, prior_view_count=7),
                impression("ben", "v9", at=2 * HOUR),
                impression("ben", None, at=4 * HOUR),
            ]
        )
        assert (done.rows_in, done.counted, done.rejects.num_rows) == (4, 2, 2)
        assert done.rejects["reason"].to_pylist() == [
            "video_id is missing",
            f"event_time_ms is not after {START + 2 * HOUR}, until which the user's "
            "state is closed",
        ]
        anna = store.features("anna", START + 4 * HOUR)
        assert (anna["avc"], anna["history_video_ids"]) == (4, ["v3", "v1"])
        assert store.features("anna", START + 3 * HOUR)["avc"] == 3
        assert store.features("carl", START + 4 * HOUR)["avc"] == 8
        assert len(store) == 3
        assert store.video_impressions(["v1", "v9"]) == {"v1": 3, "v9": 1}


def test_giving_impressions_again_changes_nothing(state, new_storage):
    rows = [impression("anna", "v1", at=at * HOUR) for at in (3, 4, 9)]
    for store in both_ways(state, new_storage, allowed_lateness_ms=HOUR):
        assert store.observe(rows).counted == 3
        before = store.export_state(), store.video_impressions(["v1"])
        again = store.observe(rows)
        assert (again.counted, again.rejects.num_rows) == (0, 3)
        assert (store.export_state(), store.video_impressions(["v1"])) == before


def test_a_clock_that_is_ahead_closes_nothing(state, new_storage):
    clock = START + 4 * HOUR
    store = UserStore(state, FEATURES, new_storage(), clock_ms=lambda: clock)
    done = store.observe(
        [
            impression("anna", "v1", at=4 * HOUR + 300_001),
            impression("anna", "v2", at=4 * HOUR + 300_000),
        ]
    )
    assert done.rejects["reason"].to_pylist() == [
        "event_time_ms is more than 300 s ahead of the clock"
    ]
    assert done.counted == 1


NEXT = START + 3 * HOUR
SURE_REJECTS = {
    40_000_000_000: "is not after",  # 1971
    1_000_000_000_000: "is not after",  # 2001
    0: "is not after",
    4_102_444_800_000: "ahead of the clock",  # 2100
    NEXT // 1000: "looks like seconds",
    NEXT * 1000: "looks like microseconds",
    NEXT * 10**6: "looks like nanoseconds",
    -1: "out of range",
    10**30: "out of range",
    float("nan"): "is missing",
    NEXT + 0.5: "is not a whole number",
    None: "is missing",
    "yesterday": "is not a number",
}


def test_far_times_are_rejects_that_leave_the_store_as_it_was(state, new_storage):
    clock = START + 4 * HOUR
    for store in both_ways(state, new_storage, clock_ms=lambda: clock):
        before = store.export_state(), store.video_impressions(["v1", "v9"])
        for time, reason in SURE_REJECTS.items():
            done = store.observe([{**impression("anna", "v9"), "event_time_ms": time}])
            assert (done.counted, done.rejects.num_rows) == (0, 1), time
            assert reason in done.rejects["reason"][0].as_py(), time
        assert (store.export_state(), store.video_impressions(["v1", "v9"])) == before
        assert store.observe([impression("anna", "v9", at=3 * HOUR)]).counted == 1
        assert store.features("anna", NEXT + 1)["avc"] == 4


def test_the_last_day_of_a_log_does_not_end_what_is_observed(state):
    store = UserStore(state, FEATURES.model_copy(update={"last_day": "2022-04-15"}))
    assert store.observe([impression("anna", at=100 * HOUR)]).counted == 1


def test_a_table_without_a_needed_column_is_an_error(state):
    table = log_table([impression("anna", at=3 * HOUR)], FEATURES)
    store = UserStore(state, FEATURES)
    assert store.observe(table).counted == 1
    with pytest.raises(SourceError, match=r"app\.csv.*is_like"):
        store.observe(table.drop(["is_like"]), "app.csv")


def test_storage_of_another_configuration_is_refused(lasting_storage):
    UserStore(None, FEATURES, lasting_storage("one")).close()
    longer = FEATURES.model_copy(update={"history_length": 5})
    UserStore(None, longer, lasting_storage("one")).close()
    other = FEATURES.model_copy(update={"utc_offset_hours": 8})
    with pytest.raises(StateError, match=r"utc_offset_hours 0\.0\. Received: 8"):
        UserStore(None, other, lasting_storage("one"))
