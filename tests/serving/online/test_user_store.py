import subprocess
import sys
import threading
import uuid

import pyarrow.parquet as pq
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preprocessing import write_feature_table
from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import USER_FEATURES
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_features
from preprocessing.state.schema import USER_STATE_SCHEMA, StateError
from preprocessing.storage.files import SourceError
from serving.online.record_format import RecordError
from serving.online.redis_storage import RedisStorage
from serving.online.sqlite_storage import SqliteStorage
from serving.online.storage import Swap, open_storage
from serving.online.user_store import UserStore
from serving.protocol.errors import Unavailable
from tests.helpers.log_rows import (
    HOUR,
    START,
    configs,
    impression,
    in_order,
    log_table,
    logs,
)
from tests.helpers.redis_server import needs_redis, running_redis

FEATURES = FeatureConfig(labels={"like": {"column": "is_like"}}, history_length=2)
FOREVER = 10**15
END = START + 91 * 6 * HOUR
USERS = ["a", "b", "c10", "c9"]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


REDIS = pytest.param("redis", marks=needs_redis)


def storage_maker(kind, request, tmp_path):
    url = request.getfixturevalue("redis_url") if kind == "redis" else ""

    def make(name=""):
        name = name or uuid.uuid4().hex
        if kind == "redis":
            return RedisStorage(f"{url}/0?prefix={tmp_path.name}{name}")
        return SqliteStorage(":memory:" if kind == "memory" else tmp_path / name)

    return make


@pytest.fixture(params=["memory", "file", REDIS])
def new_storage(request, tmp_path):
    """Makes empty storages."""
    return storage_maker(request.param, request, tmp_path)


@pytest.fixture(params=["file", REDIS])
def lasting_storage(request, tmp_path):
    """Makes storages that outlive their store; with a name, the same one again."""
    return storage_maker(request.param, request, tmp_path)


def write_state(folder, log, config=FEATURES):
    """The output of a run over a log."""
    (folder / "log").mkdir(parents=True)
    pq.write_table(log_table(log, config), folder / "log" / "part.parquet")
    source = SourceConfig(format="parquet")
    config = config.model_copy(update={"max_reject_rate": 1.0})
    write_feature_table(source, config, str(folder / "log"), str(folder / "out"))
    return str(folder / "out")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Two users: one with three views, the other with one."""
    launch = {"user_first_launch_ms": START - HOUR}
    log = [
        impression("anna", "v1", at=0, **launch),
        impression("anna", "v2", at=HOUR, **launch),
        impression("anna", "v3", at=2 * HOUR, **launch),
        impression("ben", "v1", at=0, prior_view_count=40),
    ]
    return write_state(tmp_path_factory.mktemp("state"), log)


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
        assert store.through_ms == START + 2 * HOUR
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


def test_the_last_day_of_a_log_does_not_end_what_is_observed(state):
    store = UserStore(state, FEATURES.model_copy(update={"last_day": "2022-04-15"}))
    assert store.observe([impression("anna", at=100 * HOUR)]).counted == 1


def test_a_table_without_a_needed_column_is_an_error(state):
    table = log_table([impression("anna", at=3 * HOUR)], FEATURES)
    store = UserStore(state, FEATURES)
    assert store.observe(table).counted == 1
    with pytest.raises(SourceError, match=r"app\.csv.*is_like"):
        store.observe(table.drop(["is_like"]), "app.csv")


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


def engine(log, config):
    accepted = validate(log_table(log, config), "log", 0, config).accepted
    return compute_features([accepted], config)


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


def test_a_newer_state_takes_its_place_and_what_came_after_it_stays(
    state, lasting_storage, tmp_path
):
    launch = {"user_first_launch_ms": START - HOUR}
    monday = [
        impression("anna", "v1", at=0, **launch),
        impression("anna", "v2", at=HOUR, **launch),
        impression("anna", "v3", at=2 * HOUR, **launch),
        impression("ben", "v1", at=0, prior_view_count=40),
    ]
    missed = impression("anna", "v8", at=3 * HOUR - 5)  # the app never sent it
    tuesday = [impression("anna", "v4", at=3 * HOUR), impression("carl", at=5 * HOUR)]
    wednesday = [impression("anna", "v5", at=6 * HOUR), impression("dora", at=7 * HOUR)]
    newer = write_state(tmp_path / "newer", [*monday, missed, *tuesday])
    expected = engine([*monday, missed, *tuesday, *wednesday], FEATURES).user_state
    for loaded in (True, False):
        name = f"storage-{loaded}"
        options = {"allowed_lateness_ms": 24 * HOUR}
        with UserStore(
            None if loaded else state, FEATURES, lasting_storage(name), **options
        ) as store:
            if loaded:
                store.load(state)
            assert store.observe(tuesday + wednesday).counted == 4
        with UserStore(
            None if loaded else newer, FEATURES, lasting_storage(name), **options
        ) as store:
            if loaded:
                assert store.load(newer) == 3
                with pytest.raises(StateError, match="holds a newer state"):
                    store.load(state)
            assert store.through_ms == START + 5 * HOUR
            exported = in_order(store.export_state().to_pylist())
            assert exported == in_order(expected.to_pylist())
            # Of videos what the newer state says; see docs/serving_users.md.
            assert store.video_impressions(["v4", "v8", "v5"])["v4"] == 1
            assert store.video_impressions(["v8"])["v8"] == 1


def test_storage_of_another_configuration_is_refused(lasting_storage):
    UserStore(None, FEATURES, lasting_storage("one")).close()
    longer = FEATURES.model_copy(update={"history_length": 5})
    UserStore(None, longer, lasting_storage("one")).close()
    other = FEATURES.model_copy(update={"utc_offset_hours": 8})
    with pytest.raises(StateError, match=r"utc_offset_hours 0\.0\. Received: 8"):
        UserStore(None, other, lasting_storage("one"))


def test_threads_that_write_one_user_lose_nothing(state, lasting_storage):
    stores = [UserStore(state, FEATURES, lasting_storage("one")) for _ in range(4)]

    def write(number):
        for turn in range(15):
            moment = 3 * HOUR + 1000 * turn + number
            done = stores[number].observe(
                [impression(user, "v9", at=moment) for user in ("anna", "ben")]
            )
            assert done.counted == 2

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].features("anna", START + 9 * HOUR)["avc"] == 3 + 60
    assert stores[0].features("ben", START + 9 * HOUR)["avc"] == 41 + 60
    assert stores[0].video_impressions(["v9"]) == {"v9": 120}


def test_a_record_of_an_unknown_layout_is_named(new_storage):
    storage = new_storage()
    store = UserStore(None, FEATURES, storage)
    store.observe([impression("anna")])
    (record,) = storage.read(["anna"])
    for broken, words in ((b"\x7f" + record[1:], "layout"), (record[:9], "damaged")):
        assert storage.swap([Swap("anna", record, broken)], "state -1") == [True]
        with pytest.raises(RecordError, match=rf"'anna'.*{words}"):
            store.features("anna", START + 1)
        assert storage.swap([Swap("anna", record, broken)], "state -1") == [False]
        assert storage.swap([Swap("anna", broken, record)], "state -1") == [True]
    assert store.features("anna", START + 1)["avc"] == 1


@needs_redis
def test_ids_with_any_signs_in_them(redis_url, tmp_path):
    ids = ["a:b", "ü*[x]?", "a\\b", "with space", "𝄞", "\x00"]
    for storage in (
        SqliteStorage(tmp_path / "users.sqlite"),
        RedisStorage(f"{redis_url}?prefix=*[{tmp_path.name}]"),
    ):
        with UserStore(None, FEATURES, storage) as store:
            store.observe([impression(user, user) for user in ids])
            assert sorted(store.export_state()["user_id"].to_pylist()) == sorted(ids)
            assert store.video_impressions(ids) == dict.fromkeys(ids, 1)


@needs_redis
def test_prefixes_keep_stores_apart(redis_url):
    one = UserStore(None, FEATURES, RedisStorage(f"{redis_url}?prefix=one"))
    other = UserStore(None, FEATURES, RedisStorage(f"{redis_url}?prefix=one:more"))
    one.observe([impression("anna")])
    assert "anna" not in other
    assert len(other) == 0


@needs_redis
def test_loading_again_brings_back_what_redis_lost(redis_url, state):
    store = UserStore(None, FEATURES, RedisStorage(f"{redis_url}?prefix=lossy"))
    store.load(state)
    before = store.features("anna", START + 3 * HOUR)
    with redis.Redis.from_url(redis_url) as client:
        assert client.delete("lossy:user:anna") == 1
    assert store.features("anna", START + 3 * HOUR)["avc"] == 0
    store.load(state)
    assert store.features("anna", START + 3 * HOUR) == before


@needs_redis
def test_redis_that_is_down_is_unavailable(tmp_path):
    with running_redis(tmp_path) as url:
        password = url.replace("//", "//:secret@")
        store = UserStore(None, FEATURES, RedisStorage(url))
    for call in (
        lambda: store.features("anna", START),
        lambda: store.observe([impression("anna")]),
        lambda: store.video_impressions(["v1"]),
        lambda: store.export_state(),
        lambda: RedisStorage(password),
    ):
        with pytest.raises(Unavailable, match=r"redis://127\.0\.0\.1:\d+") as raised:
            call()
        assert "secret" not in str(raised.value)
    with pytest.raises(ValueError, match="expected redis://"):
        RedisStorage("http://127.0.0.1")


OBSERVE_UNTIL_KILLED = """
import sys
from preprocessing.config import FeatureConfig
from serving.users.sqlite_storage import SqliteStorage
from serving.user_store import UserStore

store = UserStore(None, FeatureConfig(history_length=2), SqliteStorage(sys.argv[1]))
for turn in range(100_000):
    moment = 1_650_000_000_000 + turn
    rows = [
        {"user_id": user, "video_id": "v", "event_time_ms": moment}
        for user in ("anna", "ben")
    ]
    store.observe(rows)
    print(turn, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_reported(tmp_path, pytestconfig):
    path = tmp_path / "users.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", OBSERVE_UNTIL_KILLED, str(path)],
        cwd=pytestconfig.rootpath,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if int(line) == 20:
            process.kill()
            break
    reported = max([20, *map(int, process.stdout.read().split())])
    process.wait()
    config = FeatureConfig(history_length=2)
    with UserStore(None, config, SqliteStorage(path)) as store:
        anna = store.features("anna", START + HOUR)["avc"]
        assert anna >= reported + 1
        assert anna == store.features("ben", START + HOUR)["avc"]
        assert store.video_impressions(["v"]) == {"v": 2 * anna}
        assert store.observe([impression("anna", at=HOUR)]).counted == 1


def test_a_file_that_is_none_of_sqlites_is_unavailable(tmp_path):
    path = tmp_path / "users.sqlite"
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(Unavailable, match=r"users\.sqlite"):
        SqliteStorage(path)


def test_a_place_says_which_storage(tmp_path):
    storage = open_storage(str(tmp_path / "users.sqlite"))
    assert storage.set_note_once("name", "first") == "first"
    assert storage.set_note_once("name", "second") == "first"
    storage.close()
    assert (tmp_path / "users.sqlite").exists()
    with pytest.raises(ValueError, match="expected redis://"):
        open_storage("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"redis://127\.0\.0\.1:1:"):
        open_storage("redis://127.0.0.1:1/0")


def test_users_and_rankers_need_no_tensorflow():
    code = (
        "import sys, serving.online.ranker, serving.online.redis_storage; "
        "print([m for m in sys.modules if m.split('.')[0].startswith('tensorflow')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
