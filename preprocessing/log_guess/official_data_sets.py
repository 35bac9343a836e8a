"""Folders with the official files of a data set that the project reads by itself."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterator

from preprocessing.log_guess.days import guess_split
from preprocessing.log_guess.event_time import time_readings
from preprocessing.log_guess.file_layouts import FileLayout, FilesFound
from preprocessing.log_guess.guess import ExtraGuess, LabelGuess, LogGuess
from preprocessing.log_guess.log_sample import sample_log
from preprocessing.log_guess.profiles import profile_columns
from preprocessing.sources import kuairand, movielens

# Which files, whose property, what they are called, and the columns.
_KUAIRAND_FEATURES = (
    (kuairand.LOG_FILES, "context", "log", ("tab",)),
    (
        kuairand.VIDEO_FILE,
        "video",
        "video table",
        ("video_type", "upload_type", "music_type"),
    ),
    (kuairand.USER_FILE, "user", "user table", ("user_active_degree",)),
)
_MANY_ROWS = 200_000


def guess_data_set(found: FilesFound) -> LogGuess | None:
    """The configuration of KuaiRand or MovieLens; None for other folders.

    Raises:
        SourceError: A file cannot be read.
    """
    names = [posixpath.basename(file.name) for la in found.layouts for file in la.files]
    names += [posixpath.basename(name) for name in found.unread]
    if _all_there(names, kuairand.LOG_FILES, kuairand.VIDEO_FILE):
        logs = [la for la in found.layouts if _holds(la, kuairand.LOG_FILES)]
        return _kuairand(logs[0], found)
    if _all_there(names, *movielens.CSV_FILES) or _all_there(
        names, *movielens.DAT_FILES
    ):
        return _movielens()
    return None


def _all_there(names: list[str], *patterns: str) -> bool:
    return all(any(fnmatch.fnmatch(n, pattern) for n in names) for pattern in patterns)


def _holds(layout: FileLayout, pattern: str) -> bool:
    return any(
        fnmatch.fnmatch(posixpath.basename(file.name), pattern) for file in layout.files
    )


def _kuairand(log: FileLayout, found: FilesFound) -> LogGuess:
    sample = sample_log(log)
    profiles = profile_columns(sample.table, True)
    times = next(r for r in time_readings(profiles) if r.profile.name == "time_ms")
    users = next(p for p in profiles if p.name == "user_id")
    offset = float(kuairand.CHINA_UTC_OFFSET_HOURS)
    split = guess_split(
        times.times_ms, users.codes, offset, sample.total_rows, sample.to_end
    )
    flags = {p.name: p.numbers for p in profiles if p.is_number}
    labels = tuple(
        LabelGuess(name, {"column": column}, why, weight=weight, positive=flags[column])
        for name, column, why, weight in (
            ("long_view", "long_view", "the data set's own rule", 1.0),
            ("click", "is_click", "a tap on the cover", 1.0),
            ("like", "is_like", "rare", 0.5),
            ("follow", "is_follow", "rarer", 0.5),
        )
        if flags.get(column, 0 * users.codes).max(initial=0) > 0
    )
    return LogGuess(
        source={"format": "kuairand"},
        columns=(),
        labels=labels,
        extras=tuple(_kuairand_features(found)),
        features={
            "new_user": ({"max_avc": 10}, "first launches are not in the data"),
            "utc_offset_hours": (offset, "the data set counts days in China's time"),
        },
        split=split.entries,
        split_why=split.why,
        split_sure=split.sure,
        vocabularies=(
            {"user_id": 20, "author_id": 5, "video_id": 5}
            if sample.total_rows >= _MANY_ROWS
            else {"user_id": 2, "author_id": 2, "video_id": 2}
        ),
        training={"batch_size": 1024, "epochs": 4},
        notes=("These are KuaiRand's official files, which are read as a data set.",),
        sampled=f"{sample.table.num_rows:,} of about {sample.total_rows:,} impressions",
    )


def _kuairand_features(found: FilesFound) -> Iterator[ExtraGuess]:
    """Those of the usual features that the tables have."""
    for pattern, entity, table, names in _KUAIRAND_FEATURES:
        there = {n for la in found.layouts if _holds(la, pattern) for n in la.names}
        for name in names:
            if name in there:
                yield ExtraGuess(name, name, entity, "categorical", f"of the {table}")


def _movielens() -> LogGuess:
    return LogGuess(
        source={"format": "movielens"},
        columns=(),
        labels=(
            LabelGuess("favorite", {"column": "rating", "at_least": 5}, "5 stars"),
            LabelGuess("satisfied", {"column": "rating", "at_least": 4}, "4 or more"),
        ),
        features={
            "new_user": ({"max_avc": 30}, "who has few ratings so far"),
        },
        split={"by": "user", "train_user_share": 0.72},
        split_why="ratings are spread over years, and the paper splits users",
        vocabularies={},
        training={"batch_size": 1024, "epochs": 2},
        notes=("These are MovieLens' official files, which are read as a data set.",),
        sampled="the files' names",
    )
