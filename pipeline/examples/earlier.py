"""The examples of an earlier run, which a run of the next days goes on from."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.config import LogConfig
from pipeline.examples.day_split import DaySplit
from pipeline.examples.places import STATE_FOLDER, SUMMARY_FILE
from pipeline.examples.split_parts import DAY_FILE
from preprocessing.arrays.days import date_of, day_of, local_day
from preprocessing.checks.day_window import DayWindow
from preprocessing.engine.feature_settings import SETTINGS_KEY, check_settings
from preprocessing.state.files import open_state


class EarlierExamplesError(ValueError):
    """Examples that a run cannot go on from; the message says why."""


@dataclass(frozen=True)
class EarlierExamples:
    """Examples split by day, and the state after their last day.

    Attributes:
        folder: The artifact's.
        last_day: The last day that they, and their state, hold.
        counts: Rows of each day that they have files of.
    """

    folder: Path
    last_day: int
    counts: Counter[int]

    @property
    def state_dir(self) -> str:
        """The state after `last_day`."""
        return str(self.folder / STATE_FOLDER)

    def window(self, last: int | None) -> DayWindow:
        """The days that are left to compute.

        Args:
            last: The last day that the log is to be read of; None for its last.

        Raises:
            EarlierExamplesError: There are none.
        """
        first = self.last_day + 1
        if last is not None and last < first:
            raise EarlierExamplesError(
                f"the earlier examples in {self.folder} go to {date_of(self.last_day)} "
                f"already: a run of {date_of(last)} must go on from one before it"
            )
        return DayWindow(first, last)

    def link(self, split: DaySplit, folders: Mapping[str, Path]) -> None:
        """Puts the files of days that a split has into its folders.

        They are linked where the file system can, else copied.

        Args:
            split: Of the run that goes on.
            folders: The folder of each split; they are there.

        Raises:
            EarlierExamplesError: Files are missing.
        """
        files = _files_by_day(self.folder)
        for name, days in split.split_days().items():
            for day in sorted(self.counts.keys() & set(days)):
                if not files.get(day):
                    raise EarlierExamplesError(
                        f"{self.folder} lacks files of {date_of(day)}: make it anew"
                    )
                for path in files[day]:
                    _link(path, folders[name] / path.name)


def open_earlier(folder: Path, config: LogConfig) -> EarlierExamples:
    """Opens the examples of an earlier run.

    Args:
        folder: Of an artifact that `ImpressionExampleGen` made.
        config: Of the run that goes on from them.

    Raises:
        EarlierExamplesError: They were not made by day on one machine, or their state
            holds more than they do.
        SettingsError: They were made with other settings.
        StateError: Their state is not whole.
    """
    if config.split.by != "day" or config.examples.engine != "threads":
        raise EarlierExamplesError(
            "only split.by day with examples.engine threads goes on from earlier "
            f"examples. Received: {config.split.by}, {config.examples.engine}"
        )
    summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    if not summary.get("last_day") or SETTINGS_KEY not in summary:
        raise EarlierExamplesError(
            f"{folder} holds no examples by day of this release: a run cannot go on "
            "from them. Run over the whole log"
        )
    check_settings(summary[SETTINGS_KEY], config.features, str(folder))
    last_day = _day(summary["last_day"])
    counts = {_day(day): summary["days"].get(day, 0) for day in summary["splits"]}
    state = open_state(str(folder / STATE_FOLDER), config.features)
    times = np.array([state.info.watermark_ms])
    known = int(local_day(times, config.features.calendar)[0])
    if known > last_day:
        raise EarlierExamplesError(
            f"the state of {folder} knows impressions until {date_of(known)}, its "
            f"examples end on {date_of(last_day)}: what is between is missing. "
            f"Make them anew from the log up to {date_of(last_day)} alone"
        )
    return EarlierExamples(folder, last_day, +Counter(counts))


def _files_by_day(folder: Path) -> dict[int, list[Path]]:
    """The files of each day; none of a day of which one is missing."""
    found: dict[int, list[Path]] = defaultdict(list)
    wanted: dict[int, int] = {}
    for path in sorted(folder.glob("Split-*/*.gz")):
        if match := DAY_FILE.fullmatch(path.name):
            found[_day(match[1])].append(path)
            wanted[_day(match[1])] = int(match[3])
    return {day: of for day, of in found.items() if len(of) == wanted[day]}


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _day(text: str) -> int:
    return day_of(datetime.date.fromisoformat(text))
