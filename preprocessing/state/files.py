"""A state in files: one day's run writes it, the next day's reads it, serving loads it.

DIR/user_state/*.parquet    by state.schema.USER_STATE_SCHEMA
DIR/video_state/*.parquet   by state.schema.VIDEO_STATE_SCHEMA
DIR/rate_state/*.parquet    by state.rates.rate_state_schema, where rates are configured
DIR/state.json              a StateInfo and the list of files; written last, so it
                            marks a whole state
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from preprocessing.contract.config import FeatureConfig
from preprocessing.state.info import StateInfo, rate_settings
from preprocessing.state.schema import StateError
from preprocessing.storage.file_list import (
    FileList,
    content_problems,
    in_one_line,
    list_parquet_files,
    name_problems,
    parse_file_list,
)
from preprocessing.storage.files import (
    DataFile,
    find_files,
    is_file,
    join,
    list_files,
    read_text,
    shown_name,
    write_text,
)
from preprocessing.storage.parquet import open_parquet

INFO_FILE = "state.json"
USER_STATE, VIDEO_STATE, RATE_STATE = "user_state", "video_state", "rate_state"
_FILES = "files"
_SHOWN = 5


@dataclass(frozen=True)
class State:
    """A state on disk or in an object store.

    Attributes:
        info: What it was made of.
        user_files: Parquet files of `USER_STATE_SCHEMA`.
        video_files: Parquet files of `VIDEO_STATE_SCHEMA`.
        warnings: What a user should know of its files.
        rate_files: Parquet files of the rates' state; none without rates.
    """

    info: StateInfo
    user_files: tuple[DataFile, ...]
    video_files: tuple[DataFile, ...]
    warnings: tuple[str, ...] = ()
    rate_files: tuple[DataFile, ...] = ()

    @property
    def files(self) -> tuple[DataFile, ...]:
        """All Parquet files."""
        return self.user_files + self.video_files + self.rate_files


def state_parts(config: FeatureConfig) -> tuple[str, ...]:
    """The parts of a configuration's state, by the names of their folders."""
    return (USER_STATE, VIDEO_STATE, *_rate_parts(config.rates is not None))


def open_state(
    state_dir: str, config: FeatureConfig | None = None, *, checked: bool = True
) -> State:
    """Finds a state's files and checks that a run may start from it.

    Args:
        state_dir: Folder of the state, or the output folder of the run that wrote it:
            a path or a URI.
        config: Of the run that starts from it; None for readers that only look at it.
        checked: Whether to compare sizes and checksums with the list in `state.json`,
            for which each file is read once. Which files there are is compared always.

    Raises:
        StateError: There is no whole state, or the run may not start from it.
    """
    folder = find_state(state_dir)
    info, listed = _read_info(join(folder, INFO_FILE))
    if config is not None:
        info.check(config)
    needed = (USER_STATE, VIDEO_STATE, *_rate_parts(info.rates is not None))
    files = {part: _parts(folder, part) for part in needed}
    names = [name for part in files.values() for name in part]
    _check_parts(folder, listed, names, needed, checked)
    unread = sorted(set(list_files(folder) or []) - {INFO_FILE, *names})
    return State(
        info,
        tuple(_data_file(folder, name) for name in files[USER_STATE]),
        tuple(_data_file(folder, name) for name in files[VIDEO_STATE]),
        tuple(_warnings(folder, listed, unread)),
        tuple(_data_file(folder, name) for name in files.get(RATE_STATE, ())),
    )


def find_state(state_dir: str) -> str:
    """The folder that holds a state's `state.json`.

    Args:
        state_dir: As for `open_state`.

    Raises:
        StateError: There is none, or there are two.
    """
    places = [state_dir, join(state_dir, "state")]
    found = [place for place in places if is_file(join(place, INFO_FILE))]
    if not found:
        raise StateError(
            f"{state_dir} holds no state: expected {INFO_FILE} in it or in its folder "
            "'state' (it is written last, so a run that was stopped leaves none)"
        )
    if len(found) > 1:
        raise StateError(
            f"{state_dir} holds two states, one in its folder 'state'. Name the folder "
            f"of the one to start from, {found[1]}, or move the other {INFO_FILE} away"
        )
    return found[0]


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
        rates=rate_settings(config),
    )
    names = [name for part in state_parts(config) for name in _parts(state_dir, part)]
    values = info.to_values()
    values[_FILES] = list_parquet_files(state_dir, names, checksums=True)
    write_text(join(state_dir, INFO_FILE), json.dumps(values, indent=1) + "\n")


def _read_info(path: str) -> tuple[StateInfo, FileList | None]:
    """The description, and the list of files; None if it is of an earlier release."""
    try:
        values = json.loads(read_text(path))
        info = StateInfo.from_values(values)
        return info, parse_file_list(values[_FILES]) if _FILES in values else None
    except StateError as error:
        raise StateError(f"{path}: {error}") from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise StateError(f"{path} does not describe a state: {error!r}") from error


def _parts(folder: str, part: str) -> list[str]:
    """The Parquet files of one part of a state, hidden ones left out."""
    place = join(folder, part)
    if list_files(place) in (None, [""]):
        return []
    files = find_files(place, "*.parquet", required=False)
    return [f"{part}/{file.name}" for file in files]


def _rate_parts(has_rates: bool) -> tuple[str, ...]:
    return (RATE_STATE,) if has_rates else ()


def _data_file(folder: str, name: str) -> DataFile:
    return DataFile(join(folder, name), name.split("/", 1)[1])


def _check_parts(
    folder: str,
    listed: FileList | None,
    names: list[str],
    needed: tuple[str, ...],
    checked: bool,
) -> None:
    problems = [
        f"{part} has no Parquet file"
        for part in needed
        if not any(name.startswith(f"{part}/") for name in names)
    ]
    if listed is not None:
        problems += name_problems(listed, names)
        if checked and not problems:
            problems = content_problems(folder, listed)
    if problems:
        raise StateError(
            f"the state in {folder} is not as {INFO_FILE} says: "
            f"{in_one_line(problems)}. Copy the whole folder again, or make the state "
            "anew from the log"
        )


def _warnings(folder: str, listed: FileList | None, unread: list[str]) -> list[str]:
    warnings = []
    if listed is None:
        warnings.append(
            f"the state in {folder} is of an earlier release and does not list its "
            "files: a part that is missing would not be noticed"
        )
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        names = ", ".join(map(shown_name, unread[:_SHOWN]))
        warnings.append(f"not read, in {folder}: {names}{more}")
    return warnings
