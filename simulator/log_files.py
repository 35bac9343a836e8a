"""A simulated log's files: one a day, and no others in their folder."""

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulator.config import DAY_MS

_FILE = re.compile(r"impressions-\d{4,}-\d\d-\d\d\.parquet")
# A file of such a name with other columns is somebody else's, or somebody changed it.
_COLUMNS = {
    *("user_id", "video_id", "event_time_ms", "play_time_ms", "video_duration_ms"),
    *("is_like", "is_follow", "author_id", "video_tags", "user_first_launch_ms"),
    *("video_upload_ms", "prior_view_count", "user_country", "device", "network"),
}
_UNFINISHED = "_unfinished"
_NAMED = 3


class LogFolderError(ValueError):
    """A folder that a log cannot be written to; the message names what is in it."""


def check_log_folder(folder: Path | str) -> None:
    """Checks that a folder holds nothing but an earlier simulated log.

    All files of a folder are read as one log, so that others must not lie among them.
    Names that begin with "." or "_" are not read, and do not matter.

    Raises:
        LogFolderError: Something else is there.
    """
    folder = Path(folder)
    other = sorted(_others(folder))
    if other:
        more = f" and {len(other) - _NAMED:,} more" if len(other) > _NAMED else ""
        raise LogFolderError(
            f"{', '.join(map(str, other[:_NAMED]))}{more}: no file of a simulated log. "
            f"A log has a folder of its own: choose another than {folder}, or move "
            "away what is in it"
        )


def write_log(log: pa.Table, folder: Path | str) -> list[Path]:
    """Writes `impressions-YYYY-MM-DD.parquet`, one file a (UTC) day.

    An earlier simulated log in the folder is replaced once the new one is written. Rows
    without a time, which `corrupt_share` plants, go where their neighbour goes.

    Args:
        log: of `simulate`.
        folder: made if it is missing.

    Returns:
        The files, in the order of the days.

    Raises:
        LogFolderError: The folder holds something else.
    """
    folder = Path(folder)
    check_log_folder(folder)
    unfinished = folder / _UNFINISHED
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    names = _write_days(log, unfinished)
    for earlier in _files(folder):
        earlier.unlink()
    for name in names:
        (unfinished / name).rename(folder / name)
    unfinished.rmdir()
    return [folder / name for name in names]


def _write_days(log: pa.Table, folder: Path) -> list[str]:
    times = pc.fill_null_backward(pc.fill_null_forward(log["event_time_ms"]))
    days = times.to_numpy() // DAY_MS
    names = []
    for day in np.unique(days):
        date = datetime.fromtimestamp(int(day) * DAY_MS / 1000, tz=timezone.utc).date()
        name = f"impressions-{date.isoformat()}.parquet"
        pq.write_table(log.filter(pa.array(days == day)), folder / name)
        names.append(name)
    return names


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _FILE.fullmatch(path.name)]


def _others(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name == _UNFINISHED and path.is_dir() and not path.is_symlink():
            # Of a run that was killed: its last file may be cut short.
            yield from (p for p in path.iterdir() if not _FILE.fullmatch(p.name))
        elif not (path.name.startswith((".", "_")) or _is_ours(path)):
            yield path


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not _FILE.fullmatch(path.name):
        return False
    try:
        return set(pq.read_schema(path).names) == _COLUMNS
    except (OSError, pa.ArrowException):
        return False
