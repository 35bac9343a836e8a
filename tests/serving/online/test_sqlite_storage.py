import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from preprocessing.contract.config import FeatureConfig
from serving.online.sqlite_storage import SqliteStorage
from serving.online.storage import Swap
from serving.online.user_store import UserStore
from serving.protocol.errors import Unavailable
from tests.helpers.log_rows import HOUR, START, impression

OBSERVE_UNTIL_KILLED = """
import sys
from preprocessing.contract.config import FeatureConfig
from serving.online.sqlite_storage import SqliteStorage
from serving.online.user_store import UserStore

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


@pytest.mark.e2e
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


def test_a_file_that_is_refused_is_closed(tmp_path, monkeypatch):
    connect, opened = sqlite3.connect, []

    def recorded(*args, **kwargs):
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    (tmp_path / "text").write_bytes(b"something else" * 1000)
    with pytest.raises(Unavailable):
        SqliteStorage(tmp_path / "text")
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        opened[0].execute("SELECT 1")


@pytest.fixture
def full(tmp_path):
    """A closed store of some pages."""
    path = tmp_path / "full.sqlite"
    storage = SqliteStorage(path)
    users = [Swap(f"u{n}", None, b"record" * 100, {}) for n in range(100)]
    storage.swap(users, "all")
    storage.close()
    assert not path.with_name("full.sqlite-wal").exists()
    return path


def test_sqlites_own_tables_are_no_other_programs(full):
    with closing(sqlite3.connect(full)) as connection:
        connection.execute("CREATE INDEX of_counts ON videos (counts)")
        connection.execute("ANALYZE")
    with closing(SqliteStorage(full)) as storage:
        assert storage.read(["u7"]) == [b"record" * 100]


@pytest.mark.parametrize("share", [0.001, 0.01, 0.25, 0.5, 0.9, 0.9999])
def test_a_file_that_was_cut_short_is_unavailable(full, share):
    whole = full.read_bytes()
    full.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Unavailable, match=r"full\.sqlite was cut short: it has"):
        SqliteStorage(full)


def test_a_whole_copy_is_as_good_as_the_file(full, tmp_path):
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(full.read_bytes())
    with closing(SqliteStorage(copy)) as storage:
        assert storage.read(["u7", "nobody"]) == [b"record" * 100, None]


def test_a_file_in_use_may_be_shorter_than_it_will_be(full):
    with closing(SqliteStorage(full)) as first:
        first.swap([Swap(f"v{n}", None, b"x" * 9000, {}) for n in range(50)], "all")
        with closing(SqliteStorage(full)) as second:
            assert second.read(["v49"]) == [b"x" * 9000]


@pytest.mark.parametrize(
    "table",
    ["accounts (id INTEGER)", "users (id INTEGER, name TEXT)", "users (user_id, age)"],
)
def test_another_programs_database_is_left_alone(tmp_path, table):
    path = tmp_path / "app.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE {table}")
    before = path.read_bytes()
    with pytest.raises(
        Unavailable, match=r"app\.sqlite is an SQLite file of something"
    ):
        SqliteStorage(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["app.sqlite"]
