import pytest
import redis

from serving.online.redis_storage import RedisStorage
from serving.online.sqlite_storage import SqliteStorage
from serving.online.user_store import UserStore
from serving.protocol.errors import Unavailable
from tests.helpers.log_rows import HOUR, START, impression
from tests.helpers.redis_server import needs_redis, running_redis
from tests.helpers.user_state import FEATURES

pytestmark = needs_redis


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


def test_prefixes_keep_stores_apart(redis_url):
    one = UserStore(None, FEATURES, RedisStorage(f"{redis_url}?prefix=one"))
    other = UserStore(None, FEATURES, RedisStorage(f"{redis_url}?prefix=one:more"))
    one.observe([impression("anna")])
    assert "anna" not in other
    assert len(other) == 0


def test_loading_again_brings_back_what_redis_lost(redis_url, state):
    store = UserStore(None, FEATURES, RedisStorage(f"{redis_url}?prefix=lossy"))
    store.load(state)
    before = store.features("anna", START + 3 * HOUR)
    with redis.Redis.from_url(redis_url) as client:
        assert client.delete("lossy:user:anna") == 1
    assert store.features("anna", START + 3 * HOUR)["avc"] == 0
    store.load(state)
    assert store.features("anna", START + 3 * HOUR) == before


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
