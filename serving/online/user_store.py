"""What is known of users, by id: the feature engine's state and what came since."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import MS_PER_HOUR
from preprocessing.checks.rejects import REJECT_SCHEMA, reject_table
from preprocessing.checks.rows import collect_rows
from preprocessing.checks.times import check_time_ms
from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import (
    EVENT_TIME,
    SOURCE_FILE,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import check_columns, check_types, impression_schema
from preprocessing.online.features import impressions_at
from preprocessing.online.updates import (
    KnownUsers,
    add_impressions,
    advance_state,
    compute_features_of_known,
)
from preprocessing.state.files import State, open_state
from preprocessing.state.schema import USER_STATE_SCHEMA, StateError
from serving.online.load_state import load_state
from serving.online.rate_counts import RateCounts
from serving.online.sqlite_storage import SqliteStorage
from serving.online.state_snapshot import StateSnapshot
from serving.online.storage import RecordStorage
from serving.online.stored_users import RecordChange, StoredUsers, batches

_LOG = logging.getLogger(__name__)

# 36 hours: a day's log, and half a day until the state of its run is loaded.
ALLOWED_LATENESS_MS = 36 * MS_PER_HOUR

# An event time from a wrong clock would close its user's state until that time.
_MAX_AHEAD_MS = 300_000
_SETTINGS = "settings"
# What records depend on; the rest of a configuration is applied when they are read.
_MADE_BY = {"time_zone", "utc_offset_hours", "history_of", "labels", "extra", "rates"}


class ObserveResult(NamedTuple):
    """The result of `UserStore.observe`; `rows_in = counted + rejects.num_rows`.

    Attributes:
        rows_in: Number of impressions that were given.
        counted: Number of those that count.
        rejects: The others with their reasons, by `REJECT_SCHEMA`.
    """

    rows_in: int
    counted: int
    rejects: pa.Table


class UserStore:
    """Gives users' features at any moment, and takes what users do.

    Example:
        store = UserStore("monday", config.features)
        user = store.features("u00024", time_ms=1_700_000_000_000)
        store.observe([{"user_id": "u00024", "video_id": "v7", ...}])

    The rules are the feature engine's, and so is the code: `features` gives what the
    engine would compute for an impression at that moment, had its log been the state's
    and the impressions that counted since. An impression may come late by up to
    `allowed_lateness_ms`, counted from its user's latest one; giving one twice does no
    harm. Impressions that do not count are returned with their reasons.

    A newer state may replace an older one at any time (by `load`, or by opening the
    same storage with it). Its log must hold what was observed until the state's
    watermark; impressions after the watermark stay, if they are still pending.

    Args:
        state_dir: Folder of a state, or of the run that wrote it, read into memory; a
            path or a URI. None if the storage holds one (`load`).
        config: The feature configuration that the model was trained with. Its
            `last_day` is for a day's log and has no effect here.
        storage: Where observed impressions, and loaded states, are kept; None keeps
            them in this process's memory.
        allowed_lateness_ms: How long an impression is kept separately, so that earlier
            ones may still come.
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
        self._lateness_ms = allowed_lateness_ms
        self._clock_ms = clock_ms
        state = None if state_dir is None else _opened(state_dir, config)
        self._snapshot = StateSnapshot(state, self._config)
        self._storage = storage or SqliteStorage()
        self._check_settings()
        self._users = StoredUsers(self._storage, self._snapshot, self._config)
        self._rates = RateCounts(self._storage, self._snapshot, self._config)

    def __len__(self) -> int:
        return sum(1 for _ in self._users.user_ids())

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._snapshot or self._storage.read([user_id])[0] is not None

    @property
    def watermark_ms(self) -> int:
        """Time of the state's latest impression, UTC; -1 without a state."""
        return self._users.watermark_ms

    def features(self, user_id: str, time_ms: int) -> dict[str, Any]:
        """The user's features at a moment, as the feature engine computes them.

        Args:
            user_id: The user; one who was never seen has no history yet.
            time_ms: When, UTC; later than the state. Only impressions strictly
                before it are seen.

        Returns:
            `user_id` and the columns of `contract.column_names.USER_FEATURES`,
            as the user's side of a `rank` request takes them. Declared user features (a
            country, a device) are not in the state; the caller adds them.

        Raises:
            ValueError: The time is not later than the user's state, or is not in
                milliseconds.
            Unavailable: The storage does not answer.
        """
        check_time_ms("time_ms", time_ms)
        known = self._users.known([user_id])
        features = compute_features_of_known(user_id, time_ms, known, self._config)
        return {"user_id": user_id, **features}

    def video_impressions(self, video_ids: Sequence[str]) -> dict[str, int]:
        """Impressions so far of each video: the state's, and those observed since."""
        since = self._storage.video_impressions(video_ids, self._users.counts)
        before = self._snapshot.video_impressions(video_ids)
        return {
            video: earlier + later
            for video, earlier, later in zip(video_ids, before, since, strict=True)
        }

    def rates(
        self,
        user_id: str,
        videos: pa.Table,
        time_ms: int,
        features: Mapping[str, Any] | None = None,
    ) -> dict[str, list[float]]:
        """Rates and counts of earlier impressions, as the feature engine has them.

        By the clock "day" they are exact at any moment; by the clock "moment" all that
        was observed so far counts as earlier, as in `video_impressions`.

        Args:
            user_id: The user.
            videos: The candidates, by `sources.catalogue.video_schema`.
            time_ms: When, UTC; later than the state.
            features: Declared features of the user and the context.

        Returns:
            `config.rate_columns` by name, a value per candidate; nothing without
            `features.rates`.

        Raises:
            ValueError: The time is not later than the state, or is not in milliseconds.
            Unavailable: The storage does not answer.
        """
        check_time_ms("time_ms", time_ms)
        if self._config.rates is None or not videos.num_rows:
            return {name: [] for name in self._config.rate_columns}
        watermark_ms = self._users.watermark_ms
        if time_ms <= watermark_ms:
            raise ValueError(
                "`time_ms` must be later than the state's last impression, at "
                f"{watermark_ms}. Received: {time_ms}"
            )
        values = {**(features or {}), USER_ID: user_id, EVENT_TIME: time_ms}
        impressions = impressions_at(videos, values, self._config)
        return self._rates.rates(impressions, watermark_ms)

    def observe(
        self,
        impressions: pa.Table | Sequence[Mapping[str, Any]],
        source: str = "observed",
        first_row: int = 0,
    ) -> ObserveResult:
        """Takes impressions; from then on `features` sees them.

        Args:
            impressions: Rows of the impression log's contract, of any users and in any
                order: a table as a file holds them (text cells are read as numbers
                where numbers are expected), or dictionaries.
            source: Where they come from; the rejects name it.
            first_row: Number of the first row within the source.

        Raises:
            SourceError: A table lacks a column or has it in an unusable type.
            Unavailable: The storage does not answer, or others keep writing the same
                users. The impressions of some users may have been taken: give all of
                them again, and these will be rejects.
        """
        rejects = [REJECT_SCHEMA.empty_table()]
        if isinstance(impressions, pa.Table):
            check_columns(impressions.schema.names, source, self._config)
            check_types(_without_text(impressions.schema), source, self._config)
            table = impressions
        else:
            table, misfits = collect_rows(impressions, source, self._config)
            rejects.append(misfits)
        accepted, broken = validate(table, source, first_row, self._config)
        accepted, ahead = self._without_ahead(accepted)
        rejects += [broken, ahead]

        def update(known: KnownUsers, new: list[str]) -> RecordChange:
            users = pa.array(list(known.watermark_ms), pa.string())
            mine = accepted.filter(pc.is_in(accepted[USER_ID], value_set=users))
            done = add_impressions(known, mine, self._lateness_ms, self._config)
            counters = (
                {} if self._config.rates is None else self._counters(done.counted)
            )
            by_video = _by_user(done.counted)
            return RecordChange(done.users, by_video, done.rejects, counters)

        counted = 0
        user_ids = pc.unique(accepted[USER_ID]).to_pylist()
        for change, again in self._users.change(user_ids, update):
            rejects.append(_of_others(change.rejects, again))
            counted += sum(
                sum(videos.values())
                for user, videos in change.impressions.items()
                if user not in again
            )
        return ObserveResult(len(impressions), counted, pa.concat_tables(rejects))

    def load(
        self,
        state_dir: str,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Loads a state into the storage, while others read and observe.

        A user's record is replaced unless it reaches beyond the state's watermark;
        impressions after the watermark stay. After an interruption the state can simply
        be loaded again.

        Args:
            state_dir: Folder of a state, or of the run that wrote it.
            progress: Called with the number of users done and the number of all.

        Returns:
            How many users the state has.

        Raises:
            StateError: There is no whole state, it was made with another configuration,
                or the storage holds a newer one.
            Unavailable: The storage does not answer.
        """
        state = _opened(state_dir, self._config)
        return load_state(state, self._users, self._rates, self._config, progress)

    def export_state(self) -> pa.Table:
        """All users' state, as a run would leave it, by `USER_STATE_SCHEMA`."""
        tables = [USER_STATE_SCHEMA.empty_table()]
        for some in batches(self._users.user_ids()):
            known = self._users.known(some)
            tables.append(advance_state(known.state, known.pending, self._config))
        return pa.concat_tables(tables)

    def close(self) -> None:
        """Closes the storage."""
        self._storage.close()

    def __enter__(self) -> UserStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _counters(self, counted: pa.Table) -> dict[str, dict[str, dict[str, int]]]:
        """What impressions add to the counts for rates, by user."""
        watermark_ms = self._users.watermark_ms
        found = {}
        for user in pc.unique(counted[USER_ID]).to_pylist():
            mine = counted.filter(pc.equal(counted[USER_ID], user))
            found[user] = self._rates.counters(mine, watermark_ms)
        return found

    def _check_settings(self) -> None:
        """Checks the settings that records depend on; the first store writes them."""
        mine = _made_by(self._config)
        text = self._storage.set_note_once(_SETTINGS, json.dumps(mine, sort_keys=True))
        theirs = _made_by(FeatureConfig.model_validate_json(text))
        names = sorted(mine.keys() | theirs.keys())
        other = [name for name in names if mine.get(name) != theirs.get(name)]
        if other:
            raise StateError(
                "the user store was made with another configuration: "
                + "; ".join(
                    f"expected features.{name} {theirs.get(name)}. Received: "
                    f"{mine.get(name)}"
                    for name in other
                )
            )

    def _without_ahead(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        latest = self._clock_ms() + _MAX_AHEAD_MS
        ahead = to_array(rows[EVENT_TIME]).to_numpy() > latest
        rejected = rows.filter(pa.array(ahead))
        reason = (
            f"{EVENT_TIME} is more than {_MAX_AHEAD_MS // 1000} s ahead of the clock"
        )
        return rows.filter(pa.array(~ahead)), reject_table(
            rejected.select(impression_schema(self._config).names).to_pylist(),
            [reason] * rejected.num_rows,
            rejected[SOURCE_FILE].to_pylist(),
        )


def _opened(state_dir: str, config: FeatureConfig) -> State:
    state = open_state(state_dir, config)
    for warning in state.warnings:
        _LOG.warning("%s", warning)
    return state


def _made_by(config: FeatureConfig) -> dict[str, Any]:
    """The settings that records depend on; UTC is the offset 0 in any case."""
    settings = json.loads(config.model_dump_json(include=_MADE_BY))
    if config.time_zone is None:
        settings["utc_offset_hours"] = config.utc_offset_hours or 0.0
    del settings["rates"]  # earlier releases know none
    if config.rates is not None:
        # What is counted, not how a rate is made of it.
        settings["rates"] = {
            "labels": list(config.rate_labels),
            "subjects": {
                subject.name: {"half_life_days": subject.half_life_days}
                for subject in config.rate_subjects
            },
        }
    return settings


def _without_text(schema: pa.Schema) -> pa.Schema:
    text = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
    return pa.schema([field for field in schema if field.type not in text])


def _by_user(counted: pa.Table) -> dict[str, Counter[str]]:
    """Impressions of each video, by user."""
    found: dict[str, Counter[str]] = {}
    columns = (counted[name].to_pylist() for name in (USER_ID, VIDEO_ID))
    for user, video in zip(*columns, strict=True):
        found.setdefault(user, Counter())[video] += 1
    return found


def _of_others(rejects: pa.Table, users: set[str]) -> pa.Table:
    """The rejects that are not of these users, who are updated again."""
    if not users:
        return rejects
    rows = rejects["row"].to_pylist()
    keep = [json.loads(row)[USER_ID] not in users for row in rows]
    return rejects.filter(pa.array(keep, pa.bool_()))
