"""The feature engine on one machine: the two passes over shards on disk, in threads.

The steps of a shard are those of the Beam engine. What is in memory at a time is a
shard for each thread: Arrow and numpy work outside of Python's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.checks.counts import LogSummary, Tally, check_rejects
from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import REJECT_SCHEMA
from preprocessing.engine.disk_shuffle import ShardFiles
from preprocessing.engine.steps import read_split, user_shard, video_shard
from preprocessing.features.passes import feature_schema
from preprocessing.sources import Source, Split
from preprocessing.state.files import USER_STATE, VIDEO_STATE, State, read_state
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.storage.files import create_file, join
from preprocessing.storage.parquet import parquet_layout

ROW_GROUP_ROWS = 1 << 16

Progress = Callable[[str, int, int], None]
_T = TypeVar("_T")


class LocalEngine:
    """Computes a log's features, rejects and state into files.

    Args:
        log: The impressions.
        config: The feature configuration.
        state: What the log goes on from; None for what the source brings.
        out_dir: Folder for `features/`, `rejects/` and `state/`, a path or a URI.
        spill_dir: An empty folder on this machine's disk for shards.
        threads: Shards worked on at a time.
        progress: Told the step's name, how many parts of it are done, and of how many.
    """

    def __init__(
        self,
        log: Source,
        config: FeatureConfig,
        state: State | None,
        out_dir: str,
        spill_dir: Path,
        threads: int,
        progress: Progress,
    ):
        self._log = log
        self._config = config
        self._state = state
        self._out_dir = out_dir
        self._threads = threads
        self._progress = progress
        self._filled: set[str] = set()
        shards = config.shards
        self._by_video = ShardFiles(spill_dir / "by-video", VIDEO_ID, shards)
        self._by_user = ShardFiles(spill_dir / "by-user", USER_ID, shards)

    def run(self) -> LogSummary:
        """Runs the passes; the caller marks the output as whole.

        Raises:
            SourceError: The input cannot be used.
            StateError: The state cannot be used.
            EmptyLogError: The log has no rows.
            RejectLimitExceeded: Too many rows break the contract; they are in
                `rejects/`, and what else there is is of no use.
        """
        place = join(self._out_dir, "rejects")
        path = join(place, "part-00000.parquet")
        with _TableWriter(path, REJECT_SCHEMA) as self._rejects:
            read = self._parallel("read", self._read_split, self._log.splits())
            _as_if_accepted(read, self._config, place)
            self._add_state()
            videos = self._by_video.shards()
            repeated = self._parallel("videos", self._videos, videos)
        read = Tally.total([read, repeated])
        _as_if_accepted(read, self._config, place)
        written = self._parallel("users", self._users, self._by_user.shards())
        self._write_empty()
        return Tally.total([read, written]).summary()

    def _read_split(self, split: Split) -> Tally:
        before = None if self._state is None else self._state.info
        counts = []
        for rows in read_split(self._log, split, self._config, before):
            self._rejects.write(rows.rejects)
            self._by_video.add(rows.accepted)
            counts.append(Tally.of_rejects(rows.rejects, rows.rows_in))
        return Tally.total(counts)

    def _add_state(self) -> None:
        if self._state is None:
            users = self._log.user_state()
            if users is not None:
                self._by_user.add(users)
            return
        for file in self._state.user_files:
            for table in read_state(file):
                self._by_user.add(table)
        for file in self._state.video_files:
            for table in read_state(file):
                self._by_video.add(table)

    def _videos(self, shard: int) -> Tally:
        videos = video_shard(self._by_video.take(shard), self._config)
        self._rejects.write(videos.rejects)
        self._write(_VIDEO_STATE, videos.state, shard)
        self._by_user.add(videos.kept)
        return Tally.of_rejects(videos.rejects)

    def _users(self, shard: int) -> Tally:
        users = user_shard(self._by_user.take(shard), self._config)
        self._write(_USER_STATE, users.state, shard)
        self._write(_FEATURES, users.features, shard)
        return Tally.of_examples(users.features)

    def _parallel(
        self, step: str, work: Callable[[_T], Tally], parts: list[_T]
    ) -> Tally:
        """Works on all parts in threads; after an error no further part is begun."""
        self._progress(step, 0, len(parts))
        counts = []
        with ThreadPoolExecutor(self._threads) as pool:
            running = [pool.submit(work, part) for part in parts]
            try:
                for future in as_completed(running):
                    counts.append(future.result())
                    self._progress(step, len(counts), len(parts))
            finally:
                for future in running:
                    future.cancel()
        return Tally.total(counts)

    def _write(self, folder: str, table: pa.Table, shard: int) -> None:
        if table.num_rows:
            self._filled.add(folder)
            path = join(self._out_dir, folder, f"part-{shard:05d}.parquet")
            with _TableWriter(path, table.schema) as writer:
                writer.write(table)

    def _write_empty(self) -> None:
        """Readers find the columns even where there is no row."""
        schemas = {
            _FEATURES: feature_schema(self._config),
            _USER_STATE: USER_STATE_SCHEMA,
            _VIDEO_STATE: VIDEO_STATE_SCHEMA,
        }
        for folder in schemas.keys() - self._filled:
            path = join(self._out_dir, folder, "part-00000.parquet")
            with _TableWriter(path, schemas[folder]):
                pass


_FEATURES = "features"
_USER_STATE, _VIDEO_STATE = f"state/{USER_STATE}", f"state/{VIDEO_STATE}"


def _as_if_accepted(counts: Tally, config: FeatureConfig, place: str) -> None:
    """Stops a run as early as it is clear that too many rows are rejected."""
    accepted = counts.rows_in - sum(counts.by_reason.values())
    check_rejects(replace(counts, examples=accepted).summary(), config, place)


class _TableWriter:
    """A Parquet file that several threads may write tables of one schema to."""

    def __init__(self, path: str, schema: pa.Schema):
        self._path = path
        self._schema = schema
        self._lock = threading.Lock()

    def __enter__(self) -> _TableWriter:
        self._file = create_file(self._path)
        self._writer = pq.ParquetWriter(
            self._file, self._schema, **parquet_layout(self._schema)
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._file.close()

    def write(self, table: pa.Table) -> None:
        if table.num_rows:
            with self._lock:
                self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
