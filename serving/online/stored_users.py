"""Users' records on top of the state in memory: reading them, and writing them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

import pyarrow as pa

from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.online.updates import KnownUsers, rebase
from serving.online.record_format import decode_users, encode_users
from serving.online.state_snapshot import BaseState
from serving.online.storage import RecordStorage, Swap
from serving.protocol.errors import Unavailable

THROUGH = "through_ms"

_USERS_AT_A_TIME = 256
_ROUNDS = 100
_T = TypeVar("_T")


class Change(NamedTuple):
    """What an update makes of some users.

    Attributes:
        users: What is known of them now.
        impressions: New impressions of videos, by user and video. Users that are
            missing here have not changed.
        rejects: By `contract.REJECT_SCHEMA`: impressions that do not count.
    """

    users: KnownUsers
    impressions: Mapping[str, Mapping[str, int]]
    rejects: pa.Table = REJECT_SCHEMA.empty_table()


class KnownRecords:
    """Reads and changes what is known of users.

    Args:
        storage: Where records are.
        base: A state in memory, on which records lie.
        config: The feature configuration.
    """

    def __init__(self, storage: RecordStorage, base: BaseState, config: FeatureConfig):
        self.storage = storage
        self.base = base
        self._config = config
        self._schema = impression_schema(config)

    @property
    def through_ms(self) -> int:
        """Time of the state's latest impression; -1 without a state."""
        loaded = self.storage.notes().get(THROUGH, -1)
        return max(int(loaded), self.base.through_ms)

    @property
    def counts(self) -> str:
        """Name of the videos' counts: with the state's, or only those since."""
        if self.base.through_ms >= 0:
            return f"since {self.base.through_ms}"
        return state_counts(self.through_ms)

    def user_ids(self) -> Iterator[str]:
        """Every user, once."""
        seen: set[str] = set()
        for ids in (self.base.user_ids(), self.storage.user_ids()):
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
        update: Callable[[KnownUsers, list[str]], Change],
    ) -> Iterator[tuple[Change, set[str]]]:
        """Changes users' records, some hundred at a time, each user by itself.

        A user whose record another writer has changed meanwhile is done again.

        Args:
            user_ids: The users.
            update: From what is known of users, and which are new to the storage.

        Yields:
            Each change once it is written, and the users for whom it does not hold,
            since they are done again.

        Raises:
            Unavailable: The storage does not answer, or others keep writing a user.
        """
        for some in batches(user_ids):
            for _ in range(_ROUNDS):
                before = self._read(some)
                new = [user for user, record in before.items() if record is None]
                change = update(self._known(some, before), new)
                some = self._written(change, before)
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
        through_ms = {user: stored.watermark_ms.get(user, -1) for user in user_ids}
        known = rebase(
            KnownUsers(through_ms, stored.state, stored.pending),
            self.base.users(user_ids),
            self.base.through_ms,
            self._config,
        )
        if len(found) == len(records):
            return known
        new = dict.fromkeys(records.keys() - found.keys(), self.through_ms)
        return KnownUsers({**known.watermark_ms, **new}, known.state, known.pending)

    def _written(self, change: Change, before: Mapping[str, bytes | None]) -> list[str]:
        """Writes the changed records; returns the users who were changed by others."""
        swaps = [
            Swap(user, before[user], record, change.impressions[user])
            for user, record in encode_users(change.users).items()
            if user in change.impressions
        ]
        written = self.storage.swap(swaps, self.counts)
        return [s.user_id for s, ok in zip(swaps, written, strict=True) if not ok]


def state_counts(through_ms: int) -> str:
    """Name of the videos' counts that hold a loaded state's."""
    return f"state {through_ms}"


def batches(items: Iterable[_T], size: int = _USERS_AT_A_TIME) -> Iterator[list[_T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
