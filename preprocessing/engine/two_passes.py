"""The feature engine in one process: two passes over shards, in threads.

Where rates of authors, tags or other keys are configured, a narrow pass over these
subjects comes between the two.

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
from preprocessing.engine.rates import VideosRates, subject_shard
from preprocessing.engine.shuffle import Shuffle
from preprocessing.engine.steps import read_part, user_shard, video_shard
from preprocessing.features.rates.overall import Overall, add_totals, overall_before
from preprocessing.sources import FilePart
from preprocessing.state.files import RATE_STATE, USER_STATE, VIDEO_STATE
from preprocessing.state.rates import (
    divide_rate_state,
    rate_state_schema,
    select_rate_state,
)

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
        by_subject: An empty shuffle by `state.rates.KEY`; read where a configured rate
            has neither a video nor a user in its key.
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
        by_subject: Shuffle,
        outputs: Outputs,
        threads: int = 1,
        progress: Progress = no_progress,
        check: Check = no_check,
        kept: Kept = not_told,
    ):
        self._config = config
        self._by_video = by_video
        self._by_user = by_user
        self._by_subject = by_subject
        self._outputs = outputs
        self._threads = threads
        self._progress = progress
        self._check = check
        self._kept = kept
        self._end: int | None = None
        self._overall: Overall | None = None
        self._everything: list[pa.Table] = []  # the state of the whole log's rates
        self._totals: list[pa.Table] = []

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
            states = (log.users(), log.videos(), log.rates())
            return self._pass_twice(*states, counts).checked()

    def compute(
        self,
        accepted: Iterable[pa.Table],
        users: Iterable[pa.Table],
        videos: Iterable[pa.Table],
        rates: Iterable[pa.Table] = (),
    ) -> None:
        """Computes features, duplicates and state of impressions already validated.

        Args:
            accepted: By `contract.schema.traced_schema`, the whole log in any parts and
                order.
            users: State of users before, by `state.schema.USER_STATE_SCHEMA`.
            videos: State of videos before, by `state.schema.VIDEO_STATE_SCHEMA`.
            rates: State of rates before, by `state.rates.rate_state_schema`.

        Raises:
            StateError: The state breaks its schema.
        """
        with self._outputs:
            for table in accepted:
                self._by_video.add(table)
            self._pass_twice(users, videos, rates, LogSummary())

    def _pass_twice(
        self,
        users: Iterable[pa.Table],
        videos: Iterable[pa.Table],
        rates: Iterable[pa.Table],
        read: LogSummary,
    ) -> LogSummary:
        for table in users:
            self._by_user.add(table)
        for table in videos:
            self._by_video.add(table)
        for table in rates if self._config.rates else ():
            self._add_rates(select_rate_state(table, self._config))
        shards = self._by_video.shards()
        repeated = self._parallel("videos", self._video_shard, shards)
        counts = LogSummary.total([read, repeated])
        self._check(counts)
        if self._config.rates is not None:
            self._count_subjects()
        examples = self._parallel("users", self._user_shard, self._by_user.shards())
        return LogSummary.total([counts, examples])

    def _add_rates(self, table: pa.Table) -> None:
        shuffles = {
            "videos": self._by_video,
            "users": self._by_user,
            "subjects": self._by_subject,
        }
        for counted_in, rows in divide_rate_state(table, self._config):
            if counted_in is None:
                self._everything.append(rows)
            else:
                shuffles[counted_in].add(rows)

    def _count_subjects(self) -> None:
        """The pass over subjects, once that over the videos is done."""
        shards = self._by_subject.shards()
        if shards:
            self._parallel("subjects", self._subject_shard, shards)
        totals = add_totals(self._totals, self._config)
        empty = rate_state_schema(self._config).empty_table()
        known = pa.concat_tables([empty, *self._everything])
        self._overall = overall_before(totals, known, self._config)
        self._write_rates(3, 0, self._overall.state)

    def _video_shard(self, shard: int) -> LogSummary:
        tables = self._by_video.take(shard)
        videos = video_shard(tables, self._config, self._end, shard)
        self._outputs.reject(videos.rejects)
        self._outputs.write(VIDEO_STATE, shard, videos.state)
        if videos.rates is not None:
            self._take_rates(shard, videos.rates)
        self._kept(videos.kept)
        self._by_user.add(videos.kept)
        return LogSummary.of_rejects(videos.rejects)

    def _take_rates(self, shard: int, rates: VideosRates) -> None:
        self._totals.append(rates.totals)
        for events in rates.events:
            self._by_subject.add(events)
        self._write_rates(0, shard, rates.state)

    def _subject_shard(self, shard: int) -> LogSummary:
        subjects = subject_shard(self._by_subject.take(shard), self._config)
        for answers in subjects.answers:
            self._by_user.add(answers)
        self._write_rates(1, shard, subjects.state)
        return LogSummary()

    def _write_rates(self, step: int, shard: int, state: pa.Table) -> None:
        """Writes a shard's part of the rates' state; each step has its own numbers."""
        self._outputs.write(RATE_STATE, step * self._config.shards + shard, state)

    def _user_shard(self, shard: int) -> LogSummary:
        tables = self._by_user.take(shard)
        users = user_shard(tables, self._config, self._overall)
        if users.rate_state is not None:
            self._write_rates(2, shard, users.rate_state)
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
