"""A state in files: one day's run writes it, the next day's reads it, serving loads it.

DIR/user_state/*.parquet    by state.schema.USER_STATE_SCHEMA
DIR/video_state/*.parquet   by state.schema.VIDEO_STATE_SCHEMA
DIR/state.json              a StateInfo; written last, so it marks a whole state
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from preprocessing.arrays.days import Calendar, time_text
from preprocessing.contract.config import FeatureConfig
from preprocessing.state.schema import StateError
from preprocessing.storage.files import (
    DataFile,
    find_files,
    join,
    list_files,
    read_text,
    write_text,
)
from preprocessing.storage.parquet import open_parquet

INFO_FILE = "state.json"
USER_STATE, VIDEO_STATE = "user_state", "video_state"
_FORMAT = 1
_OFFSET_KEY, _ZONE_KEY = "utc_offset_hours", "time_zone"
# Attribute -> key in `state.json`, in the file's order.
_KEYS = {
    "watermark_ms": "through_ms",
    "calendar": _OFFSET_KEY,  # or `_ZONE_KEY`
    "history_of": "history_of",
    "history_length": "history_length",
    "format": "format",
}


@dataclass(frozen=True)
class StateInfo:
    """What a state was made of.

    Attributes:
        watermark_ms: Time of its latest impression, UTC; -1 without one. A log that
            starts from the state may hold later impressions only. The file's key is
            `through_ms`.
        calendar: Where its days begin: a time zone's name, or local time less UTC in
            hours. The file's key is `time_zone` or `utc_offset_hours`.
        history_of: Which impressions it lists: "impressions" or "long_views".
        history_length: How many of them it lists per user, at most.
        format: Version of the files' layout.
    """

    watermark_ms: int
    calendar: Calendar
    history_of: str
    history_length: int
    format: int = _FORMAT

    @property
    def watermark(self) -> str:
        """`watermark_ms` as an ISO time in UTC."""
        return time_text(self.watermark_ms)

    def check(self, config: FeatureConfig) -> None:
        """Checks that a run may start from this state.

        Raises:
            StateError: Its days begin elsewhere, or it lists only long views and the
                run's histories hold all impressions.
        """
        if self.calendar != config.calendar:
            raise StateError(
                f"the state's days were counted with {_described(self.calendar)}. "
                f"Received: {_described(config.calendar)}"
            )
        if self.history_of == "long_views" and config.history_of != "long_views":
            raise StateError(
                "the state lists long views alone, so it cannot continue with "
                f"features.history_of '{config.history_of}'. Make a new one from the "
                "log, or set features.history_of=long_views"
            )

    def notes(self, config: FeatureConfig) -> list[str]:
        """What a user should know about a run that starts from this state."""
        if config.history_length <= self.history_length:
            return []
        return [
            f"the state lists a user's last {self.history_length} impressions; "
            f"histories grow to features.history_length {config.history_length} only "
            "with new ones"
        ]


@dataclass(frozen=True)
class State:
    """A state on disk or in an object store.

    Attributes:
        info: What it was made of.
        user_files: Parquet files of `USER_STATE_SCHEMA`.
        video_files: Parquet files of `VIDEO_STATE_SCHEMA`.
    """

    info: StateInfo
    user_files: tuple[DataFile, ...]
    video_files: tuple[DataFile, ...]

    @property
    def files(self) -> tuple[DataFile, ...]:
        """All Parquet files."""
        return self.user_files + self.video_files


def open_state(state_dir: str, config: FeatureConfig | None = None) -> State:
    """Finds a state's files and checks that a run may start from it.

    Args:
        state_dir: Folder of the state, or the output folder of the run that wrote it:
            a path or a URI.
        config: Of the run that starts from it; None for readers that only look at it.

    Raises:
        StateError: There is no whole state, or the run may not start from it.
    """
    for folder in (state_dir, join(state_dir, "state")):
        if list_files(join(folder, INFO_FILE)) is not None:
            info = _read_info(join(folder, INFO_FILE))
            if config is not None:
                info.check(config)
            return State(
                info,
                tuple(find_files(join(folder, USER_STATE), "*.parquet")),
                tuple(find_files(join(folder, VIDEO_STATE), "*.parquet")),
            )
    raise StateError(
        f"{state_dir} holds no state: expected {INFO_FILE} in it or in its folder "
        "'state' (it is written last, so a run that was stopped leaves none)"
    )


def read_state(file: DataFile) -> Iterator[pa.Table]:
    """The rows of one of a state's files, row group by row group.

    Raises:
        StateError: The file cannot be read.
    """
    with open_parquet(file.path, error=StateError) as parquet:
        for group in range(parquet.num_row_groups):
            yield parquet.read_row_group(group).replace_schema_metadata()


def read_all(files: Iterable[DataFile], schema: pa.Schema) -> pa.Table:
    """All rows of a state's files as one table.

    Args:
        files: User files or video files of a state, any number.
        schema: `USER_STATE_SCHEMA` or `VIDEO_STATE_SCHEMA`.

    Raises:
        StateError: A file cannot be read.
    """
    tables = [schema.empty_table()]
    tables += [table for file in files for table in read_state(file)]
    return pa.concat_tables(tables)


def finish_state(
    state_dir: str,
    last_event_ms: int | None,
    config: FeatureConfig,
    previous: StateInfo | None,
) -> None:
    """Writes `state.json`, which says that the state's files are all there.

    Args:
        state_dir: Folder of the new state.
        last_event_ms: Time of the log's latest accepted impression, UTC; None without
            one.
        config: Of the run that wrote the state.
        previous: Of the state that the run started from; None without one.
    """
    times = [-1] if previous is None else [previous.watermark_ms]
    if last_event_ms is not None:
        times.append(last_event_ms)
    info = StateInfo(
        watermark_ms=max(times),
        calendar=config.calendar,
        history_of=config.history_of,
        history_length=config.history_length,
    )
    keys = {**_KEYS, "calendar": _calendar_key(info.calendar)}
    values = {key: getattr(info, name) for name, key in keys.items()}
    write_text(join(state_dir, INFO_FILE), json.dumps(values, indent=1) + "\n")


def _calendar_key(calendar: Calendar) -> str:
    return _ZONE_KEY if isinstance(calendar, str) else _OFFSET_KEY


def _described(calendar: Calendar) -> str:
    value = calendar if isinstance(calendar, str) else f"{calendar:g}"
    return f"features.{_calendar_key(calendar)} {value}"


def _read_info(path: str) -> StateInfo:
    try:
        values = json.loads(read_text(path))
        named = {"calendar": _ZONE_KEY} if _ZONE_KEY in values else {}
        keys = {**_KEYS, **named}
        info = StateInfo(**{name: values[key] for name, key in keys.items()})
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} does not describe a state: {error!r}") from error
    if info.format != _FORMAT:
        raise StateError(
            f"{path}: expected a state of format {_FORMAT}. Received: {info.format}"
        )
    return info
