"""The storage that a place names: an SQLite file or a Redis server."""

from __future__ import annotations

from serving.online.sqlite_storage import SqliteStorage
from serving.online.storage import RecordStorage


def open_storage(place: str) -> RecordStorage:
    """Opens the storage at a place.

    Args:
        place: A Redis URL (`redis_storage.RedisStorage`) or the path of an SQLite file.

    Raises:
        ValueError: The URL is not one of Redis, or the extra `redis` is not installed.
        Unavailable: The storage does not answer.
    """
    if "://" not in place:
        return SqliteStorage(place)
    try:  # redis-py is an extra
        from serving.online.redis_storage import RedisStorage
    except ImportError as error:
        raise ValueError(
            f"a store at {place.partition('://')[0]}:// needs pip install 'poso[redis]'"
        ) from error
    return RedisStorage(place)
