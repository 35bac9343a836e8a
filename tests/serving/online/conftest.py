"""Storages of each kind, and a state."""

import uuid

import pytest

from serving.online.redis_storage import RedisStorage
from serving.online.sqlite_storage import SqliteStorage
from tests.helpers.redis_server import needs_redis, running_redis
from tests.helpers.user_state import MONDAY, write_state

REDIS = pytest.param("redis", marks=needs_redis)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def state(tmp_path_factory):
    """The state after `MONDAY`."""
    return write_state(tmp_path_factory.mktemp("state"), MONDAY)


@pytest.fixture(params=["memory", "file", REDIS])
def new_storage(request, tmp_path):
    """Makes empty storages."""
    return storage_maker(request.param, request, tmp_path)


@pytest.fixture(params=["file", REDIS])
def lasting_storage(request, tmp_path):
    """Makes storages that outlive their store; with a name, the same one again."""
    return storage_maker(request.param, request, tmp_path)


def storage_maker(kind, request, tmp_path):
    url = request.getfixturevalue("redis_url") if kind == "redis" else ""

    def make(name=""):
        name = name or uuid.uuid4().hex
        if kind == "redis":
            storage = RedisStorage(f"{url}/0?prefix={tmp_path.name}{name}")
        else:
            storage = SqliteStorage(":memory:" if kind == "memory" else tmp_path / name)
        request.addfinalizer(storage.close)
        return storage

    return make
