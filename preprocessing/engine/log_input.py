"""A log as an engine reads it: its parts, and what is known before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.checks.day_window import ALL_DAYS, DayWindow
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.sources import FilePart, Source, open_source
from preprocessing.state.files import State, open_state, read_state
from preprocessing.state.info import StateInfo
from preprocessing.storage.files import DataFile
from preprocessing.storage.folder_columns import folder_values


@dataclass(frozen=True)
class LogInput:
    """A log and the state that it starts from: the given one, else the source's own.

    Attributes:
        source: The log.
        state: The given state; None for what the source brings.
        latest_ms: The latest time that an impression can have, UTC: a day from when
            the log was opened. The same for all of the run's workers.
        window: Days that are asked for; rows of others are left out.
    """

    source: Source
    state: State | None
    latest_ms: int
    window: DayWindow = ALL_DAYS

    def parts(self) -> list[FilePart]:
        """The log's parts but for those whose folders are of other days.

        Raises:
            SourceError: As `Source.parts`.
        """
        return [
            part
            for part in self.source.parts()
            if self.window.may_hold(folder_values(part.name))
        ]

    @property
    def state_info(self) -> StateInfo | None:
        """What the given state was made of; None without one."""
        return None if self.state is None else self.state.info

    @property
    def watermark_ms(self) -> int | None:
        """Time of the given state's latest impression, UTC; None without a state."""
        return None if self.state is None else self.state.info.watermark_ms

    def user_parts(self) -> list[DataFile | None]:
        """Parts of the user state, for `read_users`; None is the source's own."""
        return [None] if self.state is None else list(self.state.user_files)

    def video_parts(self) -> list[DataFile]:
        """Files of the video state, for `state.files.read_state`; may be none."""
        return [] if self.state is None else list(self.state.video_files)

    def rate_parts(self) -> list[DataFile]:
        """Files of the rates' state, for `state.files.read_state`; may be none."""
        return [] if self.state is None else list(self.state.rate_files)

    def read_users(self, part: DataFile | None) -> Iterator[pa.Table]:
        """Tables of one part of the user state, by `state.schema.USER_STATE_SCHEMA`.

        Raises:
            SourceError: The source's own state cannot be used.
            StateError: The file cannot be read.
        """
        if part is not None:
            yield from read_state(part)
            return
        users = self.source.user_state()
        if users is not None:
            yield users

    def users(self) -> Iterator[pa.Table]:
        """The whole user state; raises as `read_users` does."""
        for part in self.user_parts():
            yield from self.read_users(part)

    def videos(self) -> Iterator[pa.Table]:
        """The whole video state, by `state.schema.VIDEO_STATE_SCHEMA`.

        Raises:
            StateError: A file cannot be read.
        """
        for part in self.video_parts():
            yield from read_state(part)

    def rates(self) -> Iterator[pa.Table]:
        """The rates' whole state, with the columns that its own run had.

        Raises:
            StateError: A file cannot be read.
        """
        for part in self.rate_parts():
            yield from read_state(part)


def open_log(
    source: SourceConfig,
    config: FeatureConfig,
    data_dir: str,
    state_dir: str | None = None,
    window: DayWindow = ALL_DAYS,
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> LogInput:
    """Opens a log and the state that it starts from.

    Args:
        source: The log's format.
        config: The feature configuration.
        data_dir: Folder (or file) of the log: a path or a URI.
        state_dir: State to start from (`state.files.open_state`); replaces the
            source's own.
        window: Days that are asked for; by default all.
        clock_ms: The time now, UTC.

    Raises:
        StateError: The state cannot be used.
    """
    state = None if state_dir is None else open_state(state_dir, config)
    latest_ms = clock_ms() + MS_PER_DAY
    return LogInput(open_source(source, config, data_dir), state, latest_ms, window)
