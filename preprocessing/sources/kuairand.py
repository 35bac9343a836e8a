"""KuaiRand's official files as an impression log.

`log_standard_*.csv` are the impressions. `time_ms` is their time (the columns `date`
and `hourmin` are often an hour off). Author, tags and upload date are looked up in
`video_features_basic_*.csv`; an upload date stands for the midnight it begins with, in
China's time (UTC+8). `user_features_*.csv` is read where a user feature is declared.
First launches are unknown: `register_days` was taken at one time after the log.

Declared features may be any column of these tables, by entity: `context` of the log,
`user` of the user table, `video` of the video table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.days import MS_PER_HOUR
from preprocessing.contract.column_names import (
    AUTHOR_ID,
    TAGS,
    UPLOAD,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.readers.csv import read_cells
from preprocessing.readers.csv_texts import check_header, read_texts
from preprocessing.sources.kuairand_history import read_history
from preprocessing.sources.source import FilePart, RawRows
from preprocessing.storage.files import DataFile, SourceError, find_files, only_file

LOG_FILES = "log_standard_*.csv"
VIDEO_FILE = "video_features_basic_*.csv"
USER_FILE = "user_features_*.csv"
HISTORY_FILE = "history_exposures_*.csv"
CHINA_UTC_OFFSET_HOURS = 8

# Official name -> the contract's.
_LOG_COLUMNS = {
    "user_id": USER_ID,
    "video_id": VIDEO_ID,
    "time_ms": "event_time_ms",
    "play_time_ms": "play_time_ms",
    "duration_ms": "video_duration_ms",
    "is_like": "is_like",
    "is_follow": "is_follow",
}
_VIDEO_COLUMNS = {"author_id": AUTHOR_ID, "tag": TAGS, "upload_dt": UPLOAD}

# What the user did: known only after the impression, so never a feature.
_OUTCOMES = (
    "is_click",
    "is_comment",
    "is_forward",
    "is_hate",
    "long_view",
    "profile_stay_time",
    "comment_stay_time",
    "is_profile_enter",
)


@dataclass(frozen=True)
class KuaiRandSource:
    """The folder that holds KuaiRand's official files.

    Args:
        data_dir: Path or URI.
        config: The feature configuration.
    """

    data_dir: str
    config: FeatureConfig

    def parts(self) -> list[FilePart]:
        """One part per log file; also checks the columns of the other tables."""
        for name in self._extras("context"):
            if name in _OUTCOMES:
                raise SourceError(
                    f"extra feature '{name}' is known only after the impression"
                )
        files = find_files(self.data_dir, LOG_FILES)
        for file in files:
            check_header(file, [*self._log_columns, *self._extras("context")])
        check_header(self._video_file, ["video_id", *_VIDEO_COLUMNS])
        check_header(self._video_file, self._extras("video"))
        if self._extras("user"):
            check_header(self._user_file, ["user_id", *self._extras("user")])
        return [FilePart(file.path, file.name, -1, 0) for file in files]

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one log file, with the other tables' columns added to them."""
        columns = {**self._log_columns, **{c: c for c in self._extras("context")}}
        for rows in read_cells(DataFile(part.path, part.name), columns):
            table = rows.table.rename_columns(list(columns.values()))
            table = _joined(table, VIDEO_ID, self._videos)
            if self._extras("user"):
                table = _joined(table, USER_ID, self._users)
            yield rows._replace(table=table)

    def user_state(self) -> pa.Table | None:
        """What `history_exposures_*.csv` tells of the time before; None without it."""
        if not find_files(self.data_dir, HISTORY_FILE, required=False):
            return None
        file = only_file(self.data_dir, HISTORY_FILE)
        return read_history(file, self._videos, self.config.calendar)

    @property
    def _log_columns(self) -> dict[str, str]:
        known = set(_LOG_COLUMNS.values())
        labels = (name for name in self.config.label_columns if name not in known)
        return {**_LOG_COLUMNS, **{name: name for name in labels}}

    def _extras(self, entity: str) -> list[str]:
        return [extra.name for extra in self.config.extra if extra.entity == entity]

    @cached_property
    def _video_file(self) -> DataFile:
        return only_file(self.data_dir, VIDEO_FILE)

    @cached_property
    def _user_file(self) -> DataFile:
        return only_file(self.data_dir, USER_FILE)

    @cached_property
    def _videos(self) -> pa.Table:
        columns = ["video_id", *_VIDEO_COLUMNS, *self._extras("video")]
        table = read_texts(self._video_file, columns)
        table = table.rename_columns([_VIDEO_COLUMNS.get(c, c) for c in columns])
        place = table.schema.get_field_index(UPLOAD)
        return table.set_column(place, UPLOAD, _midnight_ms(table[UPLOAD]))

    @cached_property
    def _users(self) -> pa.Table:
        return read_texts(self._user_file, ["user_id", *self._extras("user")])


def _joined(log: pa.Table, key: str, lookup: pa.Table) -> pa.Table:
    """Adds the lookup's columns; null where the key is unknown."""
    known = lookup[key].combine_chunks().cast(pa.binary())
    row = pc.index_in(log[key], value_set=known)
    for name in lookup.column_names:
        if name != key:
            log = log.append_column(name, lookup[name].take(row))
    return log


def _midnight_ms(dates: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC milliseconds of a date's first moment in China; null where unreadable."""
    parsed = pc.strptime(dates, format="%Y-%m-%d", unit="ms", error_is_null=True)
    return pc.subtract(parsed.cast(pa.int64()), CHINA_UTC_OFFSET_HOURS * MS_PER_HOUR)
