"""A state in files: what one day's run writes, the next reads, and serving loads.

DIR/user_state/*.parquet    by state.USER_STATE_SCHEMA
DIR/video_state/*.parquet   by state.VIDEO_STATE_SCHEMA
DIR/state.json              a StateInfo; written last, so it marks a whole state
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.contract.config import FeatureConfig
from preprocessing.state.schema import StateError
from preprocessing.storage.files import (
    DataFile,
    find_files,
    join,
    list_files,
    open_file,
    read_text,
    write_text,
)

INFO_FILE = "state.json"
USER_STATE, VIDEO_STATE = "user_state", "video_state"
_FORMAT = 1


@dataclass(frozen=True)
class StateInfo:
    """What a state was made of.

    Attributes:
        through_ms: Time of the latest impression in it. A log that continues it may
            hold later impressions only.
        utc_offset_hours: Where its days begin.
        history_of: Which impressions it lists: "impressions" or "long_views".
        history_length: How many of them a user, at the most.
        format: Version of the files' layout.
    """

    through_ms: int
    utc_offset_hours: float
    history_of: str
    history_length: int
    format: int = _FORMAT

    @property
    def through(self) -> str:
        """`through_ms` as an ISO time in UTC."""
        seconds, ms = divmod(self.through_ms, 1000)
        time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        return f"{time:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"

    def check(self, config: FeatureConfig) -> None:
        """Checks that a run may go on from this state.

        Raises:
            StateError: Days begin elsewhere, or the state lists long views alone and
                histories shall hold all impressions.
        """
        if self.utc_offset_hours != config.utc_offset_hours:
            raise StateError(
                f"the state's days were counted with features.utc_offset_hours "
                f"{self.utc_offset_hours:g}. Received: {config.utc_offset_hours:g}"
            )
        if self.history_of == "long_views" and config.history_of != "long_views":
            raise StateError(
                "the state lists long views alone, so it cannot continue with "
                f"features.history_of '{config.history_of}'. Make a new one from the "
                "log, or set features.history_of=long_views"
            )

    def notes(self, config: FeatureConfig) -> list[str]:
        """What a user should know of a run that goes on from this state."""
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
    """Finds a state's files and checks that a run may go on from it.

    Args:
        state_dir: Folder of the state, or the output folder of the run that wrote it:
            a path or a URI.
        config: Of the run that goes on; None for readers such as serving.

    Raises:
        StateError: There is no whole state, or the run may not go on from it.
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
    try:
        with open_file(file.path) as opened:
            parquet = pq.ParquetFile(opened)
            for group in range(parquet.num_row_groups):
                yield parquet.read_row_group(group).replace_schema_metadata()
    except (pa.ArrowException, OSError) as error:
        raise StateError(
            f"{file.path} is no whole Parquet file (truncated or damaged?): {error}"
        ) from error


def finish_state(
    state_dir: str,
    last_event_ms: int | None,
    config: FeatureConfig,
    previous: StateInfo | None,
) -> None:
    """Writes `state.json`: the state's files are all there.

    Args:
        state_dir: Folder of the new state.
        last_event_ms: Time of the log's latest accepted impression; None without one.
        config: Of the run that wrote the state.
        previous: Of the state that the run went on from.
    """
    known = [-1] if previous is None else [previous.through_ms]
    if last_event_ms is not None:
        known.append(last_event_ms)
    info = StateInfo(
        through_ms=max(known),
        utc_offset_hours=config.utc_offset_hours,
        history_of=config.history_of,
        history_length=config.history_length,
    )
    write_text(join(state_dir, INFO_FILE), json.dumps(asdict(info), indent=1) + "\n")


def _read_info(path: str) -> StateInfo:
    try:
        values = json.loads(read_text(path))
        info = StateInfo(
            **{field.name: values[field.name] for field in fields(StateInfo)}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} does not describe a state: {error!r}") from error
    if info.format != _FORMAT:
        raise StateError(
            f"{path}: expected a state of format {_FORMAT}. Received: {info.format}"
        )
    return info
