import subprocess
import sys

import pytest

from preprocessing.contract.config import FeatureConfig
from serving.online.sqlite_storage import SqliteStorage
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
