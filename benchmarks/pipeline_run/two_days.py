"""Two days in a row: what the second costs, which goes on from the first."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds

from benchmarks.feature_engine.logs import Log, demo_features
from benchmarks.pipeline_run.watched_run import WatchedRun, watch
from preprocessing.arrays.days import date_of, local_day

# As `configs/demo.yaml`, two epochs; of what the day before has trained, one more.
SETTINGS = (
    "split.train_days=7",
    "training.epochs=2",
    "training.warm_start=true",
    "training.warm_start_epochs=1",
)


@dataclass(frozen=True)
class TwoDays:
    """The runs of a log's last two days.

    Attributes:
        first: in an empty folder, from the beginning of the log.
        second: in the same folder, from the state, vocabularies and model of the first.
    """

    first: WatchedRun
    second: WatchedRun


def run_two_days(log: Log, out: Path, arguments: Sequence[str]) -> TwoDays:
    """Runs the last two days of a log, each as `poso run --date`.

    Args:
        log: A simulated log.
        out: A folder, emptied before and after.
        arguments: Of both runs, besides their places, the date and `SETTINGS`.
    """
    shutil.rmtree(out, ignore_errors=True)
    settings = [part for one in SETTINGS for part in ("--set", one)]
    places = ["--data", str(log.folder), "--out", str(out)]
    first, second = (
        watch([*arguments, *settings, *places, "--date", date.isoformat()])
        for date in last_two_days(log.folder)
    )
    shutil.rmtree(out)
    return TwoDays(first, second)


def last_two_days(folder: Path) -> tuple[datetime.date, datetime.date]:
    """The last two days of a log, as the demo's features count them."""
    files = ds.dataset(folder, format="parquet", exclude_invalid_files=True)
    times = files.to_table(columns=["event_time_ms"])["event_time_ms"].drop_null()
    newest = np.array([times.to_numpy().max()], np.int64)
    day = int(local_day(newest, demo_features().calendar)[0])
    before, last = (datetime.date.fromisoformat(date_of(d)) for d in (day - 1, day))
    return before, last
