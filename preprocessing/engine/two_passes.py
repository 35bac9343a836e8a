"""The feature engine in one process: two passes over shards, in threads.

Where shards wait and where results go is exchangeable: `engine.in_memory` keeps both in
memory, `engine.in_threads` on disk. The steps of a shard are those of the Beam engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import pyarrow as pa

from preprocessing.checks.counts import LogSummary, add_counts
from preprocessing.checks.log_end import count_utc_days, log_end
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.log_input import LogInput
from preprocessing.engine.outputs import FEATURES, Outputs
from preprocessing.engine.shuffle import Shuffle
from preprocessing.engine.steps import read_part, user_shard, video_shard
from preprocessing.sources import FilePart
from preprocessing.state.files import USER_STATE, VIDEO_STATE

Progress = Callable[[str, int, int], None]
Check = Callable[[LogSummary], None]
Kept = Callable[[pa.Table], None]
_T = TypeVar("_T")


def no_progress(step: str, done: int, parts: int) -> None:
    """A `Progress` that tells nobody."""


def no_check(counts: LogSummary) -> None:
    """A `Check` that lets everything pass."""


def not_told(impressions: pa.Table) -> None:
    """A `Kept` that tells nobody."""


class TwoPasses:
    """Read and validate, then pass over the videos, then over the users.

    One object is for one log.

    Args:
        config: The feature configuration.
        by_video: An empty shuffle by `video_id`.
        by_user: An empty shuffle by `user_id`.
        outputs: Where results go.
        threads: Parts of the log, and then shards, worked on at a time.
        progress: Told the step's name, how many parts of it are done, and of how many.
        check: Given the counts once the log is read and once its duplicates are known;
            may raise to stop the run. Examples are not counted yet.
        kept: Given every impression that becomes an example, in tables, before the
            first of them is given to `outputs`.
    """

    def __init__(
        self,
        config: FeatureConfig,
        by_video: Shuffle,
        by_user: Shuffle,
        outputs: Outputs,
        threads: int = 1,
        progress: Progress = no_progress,
        check: Check = no_check,
        kept: Kept = not_told,
    ):
        self._config = config
        self._by_video = by_video
        self._by_user = by_user
        self._outputs = outputs
        self._threads = threads
        self._progress = progress
        self._check = check
        self._kept = kept
        self._end: int | None = None

    def run(self, log: LogInput) -> LogSummary:
        """Computes a log's features, rejects and state.

        Raises:
            SourceError: The input cannot be used.
            StateError: The state cannot be used.
        """
        days: list[Counter[int]] = []

        def read(part: FilePart) -> LogSummary:
            counts = []
            limits = (log.watermark_ms, log.latest_ms, log.window)
            for rows in read_part(log.source, part, self._config, *limits):
                self._outputs.reject(rows.rejects)
                self._by_video.add(rows.accepted)
                days.append(count_utc_days(rows.accepted))
                counts.append(
                    LogSummary.of_rejects(
                        rows.rejects,
                        rows.rows_in,
                        rows.other_days,
                        rows.undated,
                        rows.left_out,
                    )
                )
            return LogSummary.total(counts)

        with self._outputs:
            counts = self._parallel("read", read, log.parts())
            self._check(counts)
            self._end = log_end(add_counts(days), self._config)
            return self._pass_twice(log.users(), log.videos(), counts).checked()

    def compute(
        self,
        accepted: Iterable[pa.Table],
        users: Iterable[pa.Table],
        videos: Iterable[pa.Table],
    ) -> None:
        """Computes features, duplicates and state of impressions already validated.

        Args:
            accepted: By `contract.schema.traced_schema`, the whole log in any parts and
                order.
            users: State of users before, by `state.schema.USER_STATE_SCHEMA`.
            videos: State of videos before, by `state.schema.VIDEO_STATE_SCHEMA`.

        Raises:
            StateError: The state breaks its schema.
        """
        with self._outputs:
            for table in accepted:
                self._by_video.add(table)
            self._pass_twice(users, videos, LogSummary())

    def _pass_twice(
        self, users: Iterable[pa.Table], videos: Iterable[pa.Table], read: LogSummary
    ) -> LogSummary:
        for table in users:
            self._by_user.add(table)
        for table in videos:
            self._by_video.add(table)
        shards = self._by_video.shards()
        repeated = self._parallel("videos", self._video_shard, shards)
        counts = LogSummary.total([read, repeated])
        self._check(counts)
        examples = self._parallel("users", self._user_shard, self._by_user.shards())
        return LogSummary.total([counts, examples])

    def _video_shard(self, shard: int) -> LogSummary:
        videos = video_shard(self._by_video.take(shard), self._config, self._end)
        self._outputs.reject(videos.rejects)
        self._outputs.write(VIDEO_STATE, shard, videos.state)
        self._kept(videos.kept)
        self._by_user.add(videos.kept)
        return LogSummary.of_rejects(videos.rejects)

    def _user_shard(self, shard: int) -> LogSummary:
        users = user_shard(self._by_user.take(shard), self._config)
        self._outputs.write(USER_STATE, shard, users.state)
        self._outputs.write(FEATURES, shard, users.features)
        return LogSummary.of_examples(users.features)

    def _parallel(
        self, step: str, work: Callable[[_T], LogSummary], parts: list[_T]
    ) -> LogSummary:
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
        return LogSummary.total(counts)
