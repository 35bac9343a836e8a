"""Records in Redis, for many servers and writers; needs the extra `redis`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import redis

from serving.online.storage import Swap
from serving.protocol.errors import Unavailable

# Compares, writes and counts as one step: Redis runs a script alone.
_SWAP = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
for i = 3, #ARGV, 3 do
  redis.call('HINCRBY', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2])
end
return 1
"""
_SCAN_COUNT = 1000
_BATCH = 10_000


class RedisStorage:
    """A `RecordStorage` in one Redis server (or a primary with replicas).

    Keys: `PREFIX:user:ID` a record, `PREFIX:videos:NAME` a hash of counts, and
    `PREFIX:notes` a hash of texts. Nothing expires; choose a Redis that keeps its data
    (appendonly) if observed impressions must survive its restart.

    Args:
        url: `redis://[[user]:password@]host[:port][/database][?prefix=NAME]`, or
            `rediss://` for TLS; the prefix is `poso` unless given. Further parameters
            are redis-py's.
        timeout_s: Seconds to wait for a connection, and for an answer.

    Raises:
        ValueError: The URL is not one of Redis.
        Unavailable: The server does not answer.
    """

    def __init__(self, url: str, timeout_s: float = 5.0):
        url, self._prefix = _without_prefix(url)
        parts = urlsplit(url)
        self._place = f"redis://{parts.hostname or 'localhost'}:{parts.port or 6379}"
        self._client: Any = redis.Redis.from_url(
            url,
            socket_connect_timeout=timeout_s,
            socket_timeout=timeout_s,
            health_check_interval=30,
        )
        self._script = self._client.register_script(_SWAP)
        with self._reported():
            self._client.ping()

    def read(self, user_ids: Sequence[str]) -> list[bytes | None]:
        """The users' records, in order; None where there is none."""
        if not user_ids:
            return []
        with self._reported():
            records: list[bytes | None] = self._client.mget(
                [self._user(user_id) for user_id in user_ids]
            )
            return records

    def swap(self, swaps: Sequence[Swap], counts: str) -> list[bool]:
        """Writes records that have not changed meanwhile; see `RecordStorage`."""
        with self._reported(), self._client.pipeline(transaction=False) as pipeline:
            for swap in swaps:
                places = {counts: 2}  # a name's place among the keys, from 1
                added: list[str | int] = []
                for name, key, number in swap.added(counts):
                    added += [places.setdefault(name, len(places) + 2), key, number]
                self._script(
                    keys=[self._user(swap.user_id), *map(self._videos, places)],
                    args=[swap.before or b"", swap.after, *added],
                    client=pipeline,
                )
            return [bool(done) for done in pipeline.execute()]

    def video_impressions(self, video_ids: Sequence[str], counts: str) -> list[int]:
        """Impressions of videos under a name; 0 where nothing was counted."""
        if not video_ids:
            return []
        with self._reported():
            found = self._client.hmget(self._videos(counts), list(video_ids))
        return [int(value or 0) for value in found]

    def set_video_impressions(
        self, impressions: Mapping[str, int], counts: str
    ) -> None:
        """Sets impressions of videos under a name."""
        items = list(impressions.items())
        with self._reported():
            for start in range(0, len(items), _BATCH):
                part = dict(items[start : start + _BATCH])
                self._client.hset(self._videos(counts), mapping=part)

    def drop_video_impressions(self, counts: str) -> None:
        """Forgets all counts of a name."""
        with self._reported():
            self._client.unlink(self._videos(counts))

    def notes(self) -> dict[str, str]:
        """Texts kept beside the records."""
        with self._reported():
            found = self._client.hgetall(self._notes)
        return {name.decode(): text.decode() for name, text in found.items()}

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """Sets some of the texts, all at once."""
        with self._reported():
            self._client.hset(self._notes, mapping=dict(notes))

    def set_note_once(self, name: str, text: str) -> str:
        """Sets a text unless there is one; returns the one that stands."""
        with self._reported():
            self._client.hsetnx(self._notes, name, text)
            return str(self._client.hget(self._notes, name).decode())

    def user_ids(self) -> Iterator[str]:
        """Every user who has a record; one may occur twice while others write."""
        start = len(self._user(""))
        pattern = _escaped(self._user("")) + "*"
        with self._reported():
            for key in self._client.scan_iter(match=pattern, count=_SCAN_COUNT):
                yield key.decode()[start:]

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _user(self, user_id: str) -> str:
        return f"{self._prefix}:user:{user_id}"

    def _videos(self, counts: str) -> str:
        return f"{self._prefix}:videos:{counts}"

    @property
    def _notes(self) -> str:
        return f"{self._prefix}:notes"

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise Unavailable(f"the user store {self._place}: {error}") from error


def _without_prefix(url: str) -> tuple[str, str]:
    """The URL that redis-py takes, and the keys' prefix."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(f"expected redis://, rediss:// or unix://. Received: {url!r}")
    prefix = parse_qs(parts.query).get("prefix", ["poso"])[-1]
    others = (part for part in parts.query.split("&") if part[:7] != "prefix=")
    return urlunsplit(parts._replace(query="&".join(filter(None, others)))), prefix


def _escaped(text: str) -> str:
    """The text as Redis' patterns match it literally."""
    return "".join(f"\\{c}" if c in r"\*?[]^-" else c for c in text)
