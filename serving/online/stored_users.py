"""Users' records on top of the state in memory: reads them and writes them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import pyarrow as pa

from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.online.updates import KnownUsers, rebase
from serving.online.record_format import decode_users, encode_users
from serving.online.state_snapshot import StateSnapshot
from serving.online.storage import RecordStorage, Swap
from serving.protocol.errors import Unavailable

WATERMARK_NOTE = "through_ms"  # the word of stored files

_USERS_AT_A_TIME = 256
_ROUNDS = 100
_T = TypeVar("_T")


class RecordChange(NamedTuple):
    """The result of an update of some users.

    Attributes:
        users: What is known of them now.
        impressions: Numbers of new impressions, by user and video. Users who are
            missing here have not changed.
        rejects: Impressions that do not count, by `REJECT_SCHEMA`.
        counters: What the new impressions add to further counts, by user, name and id.
    """

    users: KnownUsers
    impressions: Mapping[str, Mapping[str, int]]
    rejects: pa.Table = REJECT_SCHEMA.empty_table()
    counters: Mapping[str, Mapping[str, Mapping[str, int]]] = MappingProxyType({})


class StoredUsers:
    """Reads and changes what is known of users.

    Args:
        storage: Keeps the records.
        snapshot: A state in memory, which the records continue.
        config: The feature configuration.
    """

    def __init__(
        self, storage: RecordStorage, snapshot: StateSnapshot, config: FeatureConfig
    ):
        self.storage = storage
        self.snapshot = snapshot
        self._config = config
        self._schema = impression_schema(config)

    @property
    def watermark_ms(self) -> int:
        """Time of the state's latest impression; -1 without a state."""
        loaded = self.storage.notes().get(WATERMARK_NOTE, -1)
        return max(int(loaded), self.snapshot.watermark_ms)

    @property
    def counts(self) -> str:
        """Name of the videos' counts: those since the snapshot, or all of them."""
        if self.snapshot.watermark_ms >= 0:
            return f"since {self.snapshot.watermark_ms}"
        return state_counts(self.watermark_ms)

    def user_ids(self) -> Iterator[str]:
        """Every user, once."""
        seen: set[str] = set()
        for ids in (self.snapshot.user_ids(), self.storage.user_ids()):
            for user_id in ids:
                if user_id not in seen:
                    seen.add(user_id)
                    yield user_id

    def known(self, user_ids: Sequence[str]) -> KnownUsers:
        """What is known of users, on the newest state."""
        return self._known(user_ids, self._read(user_ids))

    def change(
        self,
        user_ids: Iterable[str],
        update: Callable[[KnownUsers, list[str]], RecordChange],
    ) -> Iterator[tuple[RecordChange, set[str]]]:
        """Changes users' records, some hundred at a time, each user independently.

        A user whose record another writer has changed meanwhile is updated again.

        Args:
            user_ids: The users.
            update: Makes a change, given what is known of some users, and the ids of
                those who are new to the storage.

        Yields:
            Each change once it is written, and the users for whom it was not written,
            because they are updated again.

        Raises:
            Unavailable: The storage does not answer, or others keep writing a user.
        """
        for some in batches(user_ids):
            for _ in range(_ROUNDS):
                before = self._read(some)
                new = [user for user, record in before.items() if record is None]
                change = update(self._known(some, before), new)
                some = self._write(change, before)
                yield change, set(some)
                if not some:
                    break
            else:
                raise Unavailable(f"others keep writing the users {some}")

    def _read(self, user_ids: Sequence[str]) -> dict[str, bytes | None]:
        return dict(zip(user_ids, self.storage.read(user_ids), strict=True))

    def _known(
        self, user_ids: Sequence[str], records: Mapping[str, bytes | None]
    ) -> KnownUsers:
        found = {user: record for user, record in records.items() if record}
        stored = decode_users(found, self._schema)
        watermarks_ms = {user: stored.watermark_ms.get(user, -1) for user in user_ids}
        known = rebase(
            KnownUsers(watermarks_ms, stored.state, stored.pending),
            self.snapshot.users(user_ids),
            self.snapshot.watermark_ms,
            self._config,
        )
        if len(found) == len(records):
            return known
        new = dict.fromkeys(records.keys() - found.keys(), self.watermark_ms)
        return KnownUsers({**known.watermark_ms, **new}, known.state, known.pending)

    def _write(
        self, change: RecordChange, before: Mapping[str, bytes | None]
    ) -> list[str]:
        """Writes the changed records; returns the users whom others have changed."""
        swaps = [
            Swap(
                user,
                before[user],
                record,
                change.impressions[user],
                change.counters.get(user, {}),
            )
            for user, record in encode_users(change.users).items()
            if user in change.impressions
        ]
        written = self.storage.swap(swaps, self.counts)
        return [s.user_id for s, ok in zip(swaps, written, strict=True) if not ok]


def state_counts(watermark_ms: int) -> str:
    """Name of the videos' counts that hold a loaded state's."""
    return f"state {watermark_ms}"


def batches(items: Iterable[_T], size: int = _USERS_AT_A_TIME) -> Iterator[list[_T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
