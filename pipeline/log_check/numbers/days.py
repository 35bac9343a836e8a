"""Each day's impressions, users and new ones; and the hours of the day."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.log_check.user_block import UserBlock
from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import MS_PER_DAY, MS_PER_HOUR, Calendar, local_day
from preprocessing.arrays.zone_offsets import zone_offsets_ms
from preprocessing.contract.column_names import EVENT_TIME, USER_GROUPS, VIDEO_ID

_HOURS = 24


@dataclass(frozen=True)
class Day:
    """A day of the log, of the configuration's calendar.

    Attributes:
        day: Days since 1970.
        rows: Impressions.
        users: Users with an impression.
        first_seen_users: Those of them whose first impression in the log it has.
        first_seen_videos: Videos whose first impression in the log it has.
        new_user_rows: Impressions of the group `new`.
    """

    day: int
    rows: int
    users: int
    first_seen_users: int
    first_seen_videos: int
    new_user_rows: int


class Days:
    """Counts by day and by hour.

    Args:
        calendar: Where days begin.
    """

    def __init__(self, calendar: Calendar):
        self._calendar = calendar
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[int]] = {
            name: Counter() for name in Day.__dataclass_fields__ if name != "day"
        }
        self._hours = np.zeros(_HOURS, np.int64)

    def add_videos(self, impressions: pa.Table) -> None:
        """Takes all impressions of some videos."""
        video = to_array(impressions[VIDEO_ID]).dictionary_encode().indices.to_numpy()
        if not len(video):
            return
        day = local_day(impressions[EVENT_TIME].to_numpy(), self._calendar)
        first = np.full(int(video.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, video, day)
        self._merge({"first_seen_videos": _counted(first)})

    def add(self, block: UserBlock) -> None:
        """Takes all impressions of some users."""
        day, user = block.day, block.user
        changed = np.ones(len(day), bool)
        changed[1:] = (day[1:] != day[:-1]) | (user[1:] != user[:-1])
        since_midnight = self._local_ms(block) % MS_PER_DAY
        hours = np.bincount(since_midnight // MS_PER_HOUR, minlength=_HOURS)
        new = block.group == USER_GROUPS.index("new")
        self._merge(
            {
                "rows": _counted(day),
                "users": _counted(day[changed]),
                "first_seen_users": _counted(day[block.first_rows]),
                "new_user_rows": _counted(day[new]),
            },
            hours,
        )

    def result(self) -> list[Day]:
        """The days that have impressions, ascending."""
        return [
            Day(day, **{name: of[day] for name, of in self._counts.items()})
            for day in sorted(self._counts["rows"])
        ]

    def hours(self) -> list[int]:
        """Impressions of each hour of the day, from midnight on."""
        return self._hours.tolist()

    def _local_ms(self, block: UserBlock) -> np.ndarray:
        """Milliseconds that local clocks show, up to whole days, int64 [rows]."""
        if isinstance(self._calendar, str):
            return block.time_ms + zone_offsets_ms(block.time_ms, self._calendar)
        return block.time_ms + round(self._calendar * MS_PER_HOUR)

    def _merge(
        self, counts: dict[str, Counter[int]], hours: np.ndarray | None = None
    ) -> None:
        with self._lock:
            for name, counted in counts.items():
                self._counts[name].update(counted)
            if hours is not None:
                self._hours += hours


def _counted(days: np.ndarray) -> Counter[int]:
    values, counts = np.unique(days, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
