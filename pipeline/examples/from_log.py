"""A log's examples, made by threads of this machine without Beam."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pyarrow as pa

from pipeline.config import LogConfig
from pipeline.examples.day_split import DaySplit
from pipeline.examples.earlier import EarlierExamples
from pipeline.examples.places import Places
from pipeline.examples.split_files import SplitFiles
from pipeline.examples.splits import Split, count_rows, make_split
from pipeline.progress import LiveProgress, report_live
from preprocessing.checks.counts import LogSummary
from preprocessing.engine.in_threads import run_in_threads
from preprocessing.engine.log_input import LogInput
from preprocessing.engine.outputs import FEATURES, FileOutputs
from preprocessing.engine.steps import finish_run
from preprocessing.state.files import state_parts
from preprocessing.storage.files import join, write_text

REJECTS_FILE = "rejects-00000-of-00001.parquet"
COUNTS_FILE = "summary.json"


class Made(NamedTuple):
    """What was made of a log.

    Attributes:
        summary: The rows in and out.
        counts: Rows by day or split, by `splits.count_rows`, those of earlier examples
            included.
    """

    summary: LogSummary
    counts: Counter[int]


def examples_from_log(
    log: LogInput,
    config: LogConfig,
    places: Places,
    threads: int,
    earlier: EarlierExamples | None = None,
) -> Made:
    """Writes the examples of a log, the state after it (`state/`) and its rejects.

    Args:
        log: The log and the state that it starts from.
        config: The configuration.
        places: Where all that goes.
        threads: Parts worked on at a time; also the files for each part of a split.
        earlier: Examples of the days before the log's, from whose state it starts.

    Raises:
        SourceError: The input cannot be used.
        StateError: The state cannot be used.
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract.
        EmptySplitError: A split has no impressions.
    """
    places.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.folder) as spill:
        pieces = Path(spill) / "pieces"
        pieces.mkdir()
        days = _Days(config, log.window.last, earlier)
        files = SplitFiles(pieces, threads)
        outputs = _ExampleOutputs(config, places, files, days)
        try:
            summary = run_in_threads(
                log,
                config.features,
                outputs,
                places.rejects_dir,
                Path(spill),
                threads,
                _show,
                days.add,
            )
        finally:
            report_live(None)
        files.finish(places.splits)
    write_text(join(places.rejects_dir, COUNTS_FILE), summary.to_json() + "\n")
    finish_run(
        summary, config.features, places.rejects_dir, places.state_dir, log.state_info
    )
    if earlier is not None and isinstance(days.split, DaySplit):
        earlier.link(days.split, places.splits)
    return Made(summary, days.counts)


class _Days:
    """Counts rows by day or split; knows the split once all are counted."""

    def __init__(
        self, config: LogConfig, last: int | None, earlier: EarlierExamples | None
    ):
        self._config = config
        self._last = last
        self._before = Counter[int]() if earlier is None else earlier.counts
        self._new: Counter[int] = Counter()
        self._lock = threading.Lock()

    def add(self, impressions: pa.Table) -> None:
        """Takes impressions that become examples."""
        counts = count_rows(impressions, self._config)
        with self._lock:
            self._new.update(counts)

    @cached_property
    def split(self) -> Split:
        """The split.

        Raises:
            EmptySplitError: One of its parts has no rows.
        """
        counts = self._before + self._new
        split = make_split(self._config, counts, self._last)
        split.describe(counts)
        return split

    @property
    def counts(self) -> Counter[int]:
        """New rows, and of the earlier ones those that are used again."""
        again = self._before
        if isinstance(self.split, DaySplit):
            used = range(self.split.first, self.split.end)
            again = Counter({day: n for day, n in again.items() if day in used})
        return self._new + again


class _ExampleOutputs:
    """The engine's `Outputs`: features become examples, the rest Parquet files."""

    def __init__(
        self, config: LogConfig, places: Places, files: SplitFiles, days: _Days
    ):
        self._files = files
        self._days = days
        self._tables = FileOutputs(
            str(places.folder),
            config.features,
            join(places.rejects_dir, REJECTS_FILE),
            state_parts(config.features),
        )
        self._lock = threading.Lock()

    def reject(self, rejects: pa.Table) -> None:
        self._tables.reject(rejects)

    def write(self, name: str, shard: int, table: pa.Table) -> None:
        if name != FEATURES:
            self._tables.write(name, shard, table)
        elif table.num_rows:
            with self._lock:
                split = self._days.split
            self._files.add(shard, table, split.assign(table))

    def __enter__(self) -> _ExampleOutputs:
        self._tables.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tables.__exit__(kind, error, trace)


def _show(step: str, done: int, parts: int) -> None:
    report_live(LiveProgress(step, done, parts, (f"{done} of {parts} parts",)))
