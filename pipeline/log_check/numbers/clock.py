"""What the times of a log look like: how exact they are, and what contradicts them."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np

from pipeline.log_check.user_block import UserBlock
from preprocessing.arrays.days import MS_PER_DAY, MS_PER_HOUR
from preprocessing.contract.column_names import FIRST_LAUNCH, PRIOR_VIEWS, UPLOAD

YEAR_2000_MS = 946_684_800_000
_MS_PER_SECOND, _MS_PER_MINUTE = 1000, 60_000


@dataclass(frozen=True)
class Clock:
    """Counts of impressions, and of users where it says so.

    Attributes:
        rows: All.
        whole_seconds: At a whole second.
        whole_minutes: At a whole minute.
        whole_hours: At a whole hour.
        whole_days: At midnight, UTC.
        tied: With the time of another impression of the same user.
        same_video_tied: Of the same video, too, though not equal in all columns.
        before_2000: Before the year 2000.
        launches: With a known first launch.
        before_launch: Before their user's first launch.
        uploads: With a known upload.
        before_upload: Before their video's upload.
        priors: With a known count of views before the log.
        users_with_priors: Users with two impressions or more that have such a count.
        changing_priors: Those of them whose counts differ.
    """

    rows: int = 0
    whole_seconds: int = 0
    whole_minutes: int = 0
    whole_hours: int = 0
    whole_days: int = 0
    tied: int = 0
    same_video_tied: int = 0
    before_2000: int = 0
    launches: int = 0
    before_launch: int = 0
    uploads: int = 0
    before_upload: int = 0
    priors: int = 0
    users_with_priors: int = 0
    changing_priors: int = 0


class ClockCounts:
    """Counts what is peculiar about times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, block: UserBlock) -> None:
        """Takes all impressions of some users."""
        times = block.time_ms
        launch, launched = block.known(FIRST_LAUNCH)
        upload, uploaded = block.known(UPLOAD)
        tied, same_video = _ties(block)
        counts = {
            "rows": len(times),
            "tied": tied,
            "same_video_tied": same_video,
            "before_2000": (times < YEAR_2000_MS).sum(),
            "launches": launched.sum(),
            "before_launch": (launched & (launch > times)).sum(),
            "uploads": uploaded.sum(),
            "before_upload": (uploaded & (upload > times)).sum(),
            **_wholes(times),
            **_priors(block),
        }
        with self._lock:
            self._counts.update({name: int(n) for name, n in counts.items()})

    def result(self) -> Clock:
        """The counts."""
        return Clock(**self._counts)


def _wholes(times: np.ndarray) -> dict[str, int]:
    counts = {}
    for name, unit_ms in (
        ("whole_seconds", _MS_PER_SECOND),
        ("whole_minutes", _MS_PER_MINUTE),
        ("whole_hours", MS_PER_HOUR),
        ("whole_days", MS_PER_DAY),
    ):
        times = times[times % unit_ms == 0]
        counts[name] = len(times)
    return counts


def _ties(block: UserBlock) -> tuple[int, int]:
    """Rows with another's user and time; and of these such as share the video, too."""
    same = (np.diff(block.time_ms) == 0) & (np.diff(block.user) == 0)
    if not same.any():
        return 0, 0
    tied = np.zeros(len(block), bool)
    tied[1:] |= same
    tied[:-1] |= same
    # Rows of a user and time are ordered by video.
    rows = np.flatnonzero(same)
    videos = block.table["video_id"]
    before, after = videos.take(rows).to_pylist(), videos.take(rows + 1).to_pylist()
    return int(tied.sum()), sum(a == b for a, b in zip(before, after, strict=True))


def _priors(block: UserBlock) -> dict[str, int]:
    prior, known = block.known(PRIOR_VIEWS)
    if not known.any():
        return {}
    users = len(block.user_ids)
    user, value = block.user[known], prior[known]
    several = np.bincount(user, minlength=users) > 1
    changed = (np.diff(user) == 0) & (np.diff(value) != 0)
    changing = np.zeros(users, bool)
    changing[user[1:][changed]] = True
    return {
        "priors": known.sum(),
        "users_with_priors": several.sum(),
        "changing_priors": changing.sum(),
    }
