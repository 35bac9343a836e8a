"""What is known of users, by id: the feature engine's state, and what came since."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.column_names import EVENT_TIME, SOURCE_FILE, USER_ID, VIDEO_ID
from preprocessing.config import FeatureConfig
from preprocessing.contract import (
    REJECT_SCHEMA,
    check_columns,
    check_types,
    impression_schema,
)
from preprocessing.conversion import plain
from preprocessing.impression_rows import row_table
from preprocessing.online_updates import (
    KnownUsers,
    add_impressions,
    known_user_features,
    rebased,
    state_with,
)
from preprocessing.state import USER_STATE_SCHEMA, StateError
from preprocessing.state_files import State, open_state, read_state
from preprocessing.validation import reject_table, validate
from serving.base_state import BaseState
from serving.errors import Unavailable
from serving.record_storage import RecordStorage, Swap
from serving.sqlite_storage import SqliteStorage
from serving.user_record import decode_users, encode_users

ALLOWED_LATENESS_MS = 3_600_000

# A wrong clock would close a user's state at a time that is still to come.
_MAX_AHEAD_MS = 300_000
_USERS_AT_A_TIME = 256
_ROUNDS = 100
_SETTINGS, _THROUGH = "settings", "through_ms"
_T = TypeVar("_T")


class Observed(NamedTuple):
    """What became of new impressions; `rows_in = counted + rejects.num_rows`.

    Attributes:
        rows_in: Impressions that were given.
        counted: Those that count.
        rejects: By `contract.REJECT_SCHEMA`: the others, with their reasons.
    """

    rows_in: int
    counted: int
    rejects: pa.Table


class UserStore:
    """Gives users' features at any moment, and takes what users do.

        store = UserStore("monday", config.features)
        user = store.features("u00024", time_ms=1_700_000_000_000)
        store.observe([{"user_id": "u00024", "video_id": "v7", ...}])

    The rules are the feature engine's, and so is the code: `features` gives what the
    engine would compute for an impression at that moment, had its log been the state's
    and the impressions that counted since. An impression may come late by up to
    `allowed_lateness_ms`, counted from its user's latest one; giving one twice does no
    harm. What does not count is returned with its reason.

    A newer state may take the place of the one before at any time (by `load`, or by
    opening the same storage with it). It must be of a log that holds what was observed
    until the state's end; impressions after that end stay, if they are still pending.

    Args:
        state_dir: Folder of a state, or of the run that wrote it, read into memory; a
            path or a URI. None if the storage holds one (`load`).
        config: The feature configuration that the model was trained with. Its
            `last_day` is for a day's log and has no effect here.
        storage: Where observed impressions, and loaded states, are kept; None keeps
            them in this process's memory.
        allowed_lateness_ms: How long an impression is kept by itself.
        clock_ms: The time now, UTC; impressions more than five minutes ahead of it are
            rejects.

    Raises:
        StateError: There is no whole state, or it or the storage was made with another
            configuration.
        Unavailable: The storage does not answer.
    """

    def __init__(
        self,
        state_dir: str | None,
        config: FeatureConfig,
        storage: RecordStorage | None = None,
        allowed_lateness_ms: int = ALLOWED_LATENESS_MS,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ):
        self._config = config.model_copy(update={"last_day": None})
        self._schema = impression_schema(self._config)
        self._storage = storage or SqliteStorage()
        self._lateness_ms = allowed_lateness_ms
        self._clock_ms = clock_ms
        self._base = BaseState(None if state_dir is None else self._opened(state_dir))
        self._check_settings()

    def __len__(self) -> int:
        return sum(1 for _ in self._user_ids())

    def __contains__(self, user_id: str) -> bool:
        known = user_id in self._base or self._storage.read([user_id])[0] is not None
        return bool(known)

    @property
    def through_ms(self) -> int:
        """Time of the state's latest impression; -1 without a state."""
        loaded = self._storage.notes().get(_THROUGH, -1)
        return max(int(loaded), self._base.through_ms)

    def features(self, user_id: str, time_ms: int) -> dict[str, Any]:
        """The user's features at a moment, as the feature engine computes them.

        Args:
            user_id: The user; one who was never seen has no history yet.
            time_ms: When, UTC; later than the state. Impressions strictly before it are
                seen.

        Returns:
            `user_id` and the columns of `preprocessing.column_names.USER_FEATURES`,
            fit for the user's side of a `rank` request. Declared user features (a
            country, a device) are not in the state; the caller adds them.

        Raises:
            ValueError: The time is not later than the user's state.
            Unavailable: The storage does not answer.
        """
        known, _ = self._known([user_id])
        features = known_user_features(user_id, time_ms, known, self._config)
        return {"user_id": user_id, **features}

    def video_impressions(self, video_ids: Sequence[str]) -> dict[str, int]:
        """Impressions so far of each video: the state's, and those observed since."""
        since = self._storage.video_impressions(video_ids, self._counts())
        before = self._base.video_impressions(video_ids)
        return {
            video: earlier + later
            for video, earlier, later in zip(video_ids, before, since, strict=True)
        }

    def observe(
        self,
        impressions: pa.Table | Sequence[Mapping[str, Any]],
        source: str = "observed",
        first_row: int = 0,
    ) -> Observed:
        """Takes impressions; they are seen by `features` from then on.

        Args:
            impressions: Rows of the impression log's contract, of any users and in any
                order: a table as a file holds them, or dictionaries.
            source: Where they come from, for the rejects.
            first_row: Number of the first row within the source.

        Raises:
            SourceError: A table lacks a column or has it in an unusable type.
            Unavailable: The storage does not answer, or others write the same users
                all the time. Some users' impressions may have been taken; give all of
                them again, those will be rejects.
        """
        rejects = [REJECT_SCHEMA.empty_table()]
        if isinstance(impressions, pa.Table):
            check_columns(impressions.schema.names, source, self._config)
            check_types(impressions.schema, source, self._config)
            table = impressions
        else:
            table, misfits = row_table(impressions, source, self._config)
            rejects.append(misfits)
        accepted, broken = validate(table, source, first_row, self._config)
        accepted, ahead = self._without_ahead(accepted)
        rejects += [broken, ahead]
        counted = 0
        users = pc.unique(accepted[USER_ID]).to_pylist()
        for some in _batches(users, _USERS_AT_A_TIME):
            now_counted, refused = self._update(some, accepted)
            counted += now_counted
            rejects += refused
        return Observed(len(impressions), counted, pa.concat_tables(rejects))

    def load(
        self,
        state_dir: str,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Puts a state into the storage, while others read and observe.

        A user's record is replaced unless it has seen more than the state; impressions
        after the state's end stay. Loading again after an interruption does no harm.

        Args:
            state_dir: Folder of a state, or of the run that wrote it.
            progress: Told how many users are done, and of how many.

        Returns:
            How many users the state has.

        Raises:
            StateError: There is no whole state, it was made with another configuration,
                or the storage holds a newer one.
            Unavailable: The storage does not answer.
        """
        state = self._opened(state_dir)
        through_ms = state.info.through_ms
        before = int(self._storage.notes().get(_THROUGH, -1))
        if through_ms < before:
            raise StateError(
                f"the user store holds a state through {before}, newer than that of "
                f"{state_dir}, through {through_ms}"
            )
        tables = [USER_STATE_SCHEMA.empty_table()]
        tables += [table for file in state.user_files for table in read_state(file)]
        users = pa.concat_tables(tables)
        for start in range(0, users.num_rows, _USERS_AT_A_TIME):
            part = users.slice(start, _USERS_AT_A_TIME)
            self._rebase(part, through_ms)
            progress(start + part.num_rows, users.num_rows)
        if through_ms > before:  # else observed impressions are counted in it already
            self._load_videos(state, before)
        return int(users.num_rows)

    def export_state(self) -> pa.Table:
        """All users' state, by `state.USER_STATE_SCHEMA`, as a run would leave it."""
        tables = [USER_STATE_SCHEMA.empty_table()]
        for some in _batches(self._user_ids(), _USERS_AT_A_TIME):
            known, _ = self._known(some)
            tables.append(state_with(known.state, known.pending, self._config))
        return pa.concat_tables(tables)

    def close(self) -> None:
        """Closes the storage."""
        self._storage.close()

    def __enter__(self) -> UserStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self, state_dir: str) -> State:
        return open_state(state_dir, self._config)

    def _check_settings(self) -> None:
        """What records are made of is written once and must stay."""
        mine = json.loads(self._config.model_dump_json(include=_MADE_BY))
        text = self._storage.set_note_once(_SETTINGS, json.dumps(mine, sort_keys=True))
        theirs = json.loads(text)
        other = [name for name in sorted(mine) if mine[name] != theirs.get(name)]
        if other:
            raise StateError(
                "the user store was made with another configuration: "
                + "; ".join(
                    f"expected features.{name} {theirs.get(name)}. Received: "
                    f"{mine[name]}"
                    for name in other
                )
            )

    def _counts(self) -> str:
        """Name of the videos' counts: with the state's, or only those since."""
        if self._base.through_ms >= 0:
            return f"since {self._base.through_ms}"
        return f"state {self.through_ms}"

    def _user_ids(self) -> Iterator[str]:
        seen: set[str] = set()
        for ids in (self._base.user_ids(), self._storage.user_ids()):
            for user_id in ids:
                if user_id not in seen:
                    seen.add(user_id)
                    yield user_id

    def _known(
        self, user_ids: Sequence[str]
    ) -> tuple[KnownUsers, Mapping[str, bytes | None]]:
        """What is known of users, on the newest state, and their records as read."""
        through_ms = self.through_ms
        records = dict(zip(user_ids, self._storage.read(user_ids), strict=True))
        found = {user: record for user, record in records.items() if record}
        stored = decode_users(found, self._schema)
        known = KnownUsers(
            {user: stored.through_ms.get(user, -1) for user in user_ids},
            stored.state,
            stored.pending,
        )
        base = self._base.users(user_ids)
        known = rebased(known, base, self._base.through_ms, self._config)
        fresh = {
            user: through_ms if user not in found else known.through_ms[user]
            for user in user_ids
        }
        return KnownUsers(fresh, known.state, known.pending), records

    def _update(self, user_ids: list[str], accepted: pa.Table) -> tuple[int, list]:
        """Adds impressions of some users; a user who was overtaken is done again."""
        counted, rejects = 0, []
        for _ in range(_ROUNDS):
            mine = accepted.filter(
                pc.is_in(accepted[USER_ID], value_set=pa.array(user_ids, pa.string()))
            )
            known, before = self._known(user_ids)
            update = add_impressions(known, mine, self._lateness_ms, self._config)
            videos = _by_user(update.counted)
            swaps = [
                Swap(user, before[user], record, videos.get(user, {}))
                for user, record in encode_users(update.users).items()
                if user in videos  # the others' records would say the same
            ]
            done = self._storage.swap(swaps, self._counts())
            lost = {s.user_id for s, ok in zip(swaps, done, strict=True) if not ok}
            counted += sum(
                sum(counts.values())
                for user, counts in videos.items()
                if user not in lost
            )
            rejects.append(_of_others(update.rejects, lost))
            user_ids = [user for user in user_ids if user in lost]
            if not user_ids:
                return counted, rejects
        raise Unavailable(f"others keep writing the users {user_ids}")

    def _rebase(self, state: pa.Table, through_ms: int) -> None:
        user_ids = state[USER_ID].to_pylist()
        for _ in range(_ROUNDS):
            known, before = self._known(user_ids)
            # A user without a record starts from nothing, whatever was loaded before.
            fresh = {
                user: -1 if before[user] is None else known.through_ms[user]
                for user in user_ids
            }
            known = KnownUsers(fresh, known.state, known.pending)
            records = encode_users(rebased(known, state, through_ms, self._config))
            swaps = [Swap(user, before[user], records[user]) for user in user_ids]
            done = self._storage.swap(swaps, self._counts())
            user_ids = [s.user_id for s, ok in zip(swaps, done, strict=True) if not ok]
            if not user_ids:
                return
        raise Unavailable(f"others keep writing the users {user_ids}")

    def _load_videos(self, state: State, before_ms: int) -> None:
        counts = f"state {state.info.through_ms}"
        for file in state.video_files:
            for table in read_state(file):
                columns = (table[n].to_pylist() for n in (VIDEO_ID, "impressions"))
                impressions = dict(zip(*columns, strict=True))
                self._storage.set_video_impressions(impressions, counts)
        self._storage.set_notes({_THROUGH: str(state.info.through_ms)})
        self._storage.drop_video_impressions(f"state {before_ms}")

    def _without_ahead(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        latest = self._clock_ms() + _MAX_AHEAD_MS
        ahead = plain(rows[EVENT_TIME]).to_numpy() > latest
        rejected = rows.filter(pa.array(ahead))
        reason = (
            f"{EVENT_TIME} is more than {_MAX_AHEAD_MS // 1000} s ahead of the clock"
        )
        return rows.filter(pa.array(~ahead)), reject_table(
            rejected.select(self._schema.names).to_pylist(),
            [reason] * rejected.num_rows,
            rejected[SOURCE_FILE].to_pylist(),
        )


# What a record depends on; the rest of a configuration is applied when it is read.
_MADE_BY = {"utc_offset_hours", "history_of", "labels", "extra"}


def _by_user(counted: pa.Table) -> dict[str, Counter[str]]:
    """Impressions of each video, by user."""
    found: dict[str, Counter[str]] = {}
    columns = (counted[name].to_pylist() for name in (USER_ID, VIDEO_ID))
    for user, video in zip(*columns, strict=True):
        found.setdefault(user, Counter())[video] += 1
    return found


def _of_others(rejects: pa.Table, users: set[str]) -> pa.Table:
    """The rejects that are not of these users, who are done again."""
    if not users:
        return rejects
    rows = rejects["row"].to_pylist()
    keep = np.array([json.loads(row)[USER_ID] not in users for row in rows], dtype=bool)
    return rejects.filter(pa.array(keep))


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
