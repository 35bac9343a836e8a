"""Which days of a run folder are done: `days.json`, beside ML Metadata.

ML Metadata says what each component made; that a day's run came to its end, and that no
later one was built on it, is said here.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pipeline.runners.metadata_file import RunFolderError

Outcome = Literal["done", "skipped"]


@dataclass(frozen=True)
class DayRecord:
    """How the run of a day ended.

    Attributes:
        outcome: `done`, or `skipped` because its impressions were not there.
        ended: When, ISO time in UTC.
    """

    outcome: Outcome
    ended: str


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class DayRecords:
    """The days of a run folder.

    Args:
        file: Where they are kept; it may be missing.
        clock: The time now, UTC.

    Raises:
        RunFolderError: The file is none of ours.
    """

    def __init__(self, file: Path, clock: Callable[[], datetime.datetime] = _now):
        self._file = file
        self._clock = clock
        self._days = _read(file)

    def of(self, day: datetime.date) -> DayRecord | None:
        """How a day's run ended; None if it did not."""
        return self._days.get(day)

    @property
    def newest_done(self) -> datetime.date | None:
        """The newest day that is done; None before the first."""
        done = [day for day, record in self._days.items() if record.outcome == "done"]
        return max(done, default=None)

    def note(self, day: datetime.date, outcome: Outcome) -> None:
        """Writes down how a day's run ended; the file is replaced as a whole."""
        ended = self._clock().isoformat(timespec="seconds")
        self._days[day] = DayRecord(outcome, ended)
        written = {
            day.isoformat(): asdict(record)
            for day, record in sorted(self._days.items())
        }
        unfinished = self._file.with_suffix(".unfinished")
        with open(unfinished, "w", encoding="utf-8") as file:
            json.dump(written, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._file)


def _read(file: Path) -> dict[datetime.date, DayRecord]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        return {
            datetime.date.fromisoformat(day): DayRecord(**record)
            for day, record in json.loads(text).items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise RunFolderError(
            f"{file} does not hold the days of a run: give another --out, or move it "
            "away"
        ) from error
