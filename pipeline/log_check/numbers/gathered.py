"""The numbers of a log together: the engine's outputs are counted, and not kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import pyarrow as pa

from pipeline.config import InputConfig, LogConfig, RunConfig
from pipeline.log_check.numbers.clock import Clock, ClockCounts
from pipeline.log_check.numbers.column_values import ColumnCounts, ColumnValues
from pipeline.log_check.numbers.days import Day, Days
from pipeline.log_check.numbers.evaluation import Evaluation, SplitRows
from pipeline.log_check.numbers.example_size import ExampleSize
from pipeline.log_check.numbers.label_rates import Group, LabelRates
from pipeline.log_check.numbers.lengths import LengthCounts, Lengths
from pipeline.log_check.numbers.most_seen import MostSeen, Seen
from pipeline.log_check.numbers.rejects import RejectReason, Rejects
from pipeline.log_check.numbers.single_columns import (
    MOST_ROWS,
    SingleColumn,
    SingleColumns,
)
from pipeline.log_check.numbers.watching import Watching, WatchingCounts
from pipeline.log_check.user_block import UserBlock
from preprocessing.arrays.conversion import to_array
from preprocessing.checks.counts import LogSummary
from preprocessing.contract.column_names import VIDEO_ID
from preprocessing.contract.schema import impression_schema
from preprocessing.engine.outputs import FEATURES


@dataclass(frozen=True)
class Numbers:
    """What was counted of a log.

    Attributes:
        rows_in: Rows of the log.
        left_out: Further rows, which `source.where` does not ask for.
        examples: Those that would become examples.
        rejects: The others, by reason.
        days: Each day that has examples.
        hours: Examples of each hour of the day.
        users: Users.
        videos: Videos.
        top_users: The users with the most examples.
        top_videos: The videos with the most.
        lengths: Examples of users, and lengths of histories.
        clock: What the times look like.
        watching: Middle play times and lengths.
        groups: Labels and play times by user group, all of them first.
        agreeing: Rows in which two labels are known and equal, by "one, other".
        columns: What the log's columns hold, of its examples.
        singles: How well each of the model's inputs ranks by itself.
        single_users: Users that `singles` are of.
        split: What would be trained on and evaluated on.
        example_bytes: Of a gzipped example.
    """

    rows_in: int
    left_out: int
    examples: int
    rejects: list[RejectReason]
    days: list[Day]
    hours: list[int]
    users: int
    videos: int
    top_users: list[Seen]
    top_videos: list[Seen]
    lengths: Lengths
    clock: Clock
    watching: Watching
    groups: dict[str, Group]
    agreeing: dict[str, int]
    columns: list[ColumnValues]
    singles: list[SingleColumn]
    single_users: int
    split: SplitRows
    example_bytes: float


class Gathered:
    """The feature engine's `Outputs`; also its `Kept` and its `Check`.

    Args:
        config: The run's configuration.
    """

    def __init__(self, config: RunConfig):
        features = config.features
        self._calendar = features.calendar
        self._lock = threading.Lock()
        self._rows_in = 0
        self._rejects = Rejects()
        self._days = Days(self._calendar)
        self._users, self._videos = MostSeen(), MostSeen()
        self._lengths = LengthCounts()
        self._clock = ClockCounts()
        self._watching = WatchingCounts()
        self._labels = LabelRates(features.labels)
        self._columns = ColumnCounts(list(impression_schema(features)))
        self._singles = SingleColumns(
            config.part(InputConfig), config.task_names, config.evaluation.weighting
        )
        self._evaluation = Evaluation(config.part(LogConfig), config.task_names)
        self._size = ExampleSize()

    def reject(self, rejects: pa.Table) -> None:
        """Takes rejects."""
        if rejects.num_rows:
            self._rejects.add(rejects)

    def check(self, counts: LogSummary) -> None:
        """Takes the counts once the log is read; nothing stops, whatever they are."""
        with self._lock:
            self._rows_in = counts.rows_in

    def kept(self, impressions: pa.Table) -> None:
        """Takes all impressions of some videos, before any block of users comes."""
        if not impressions.num_rows:
            return
        video = to_array(impressions[VIDEO_ID]).dictionary_encode()
        self._videos.add(video.dictionary, np.bincount(video.indices.to_numpy()))
        self._days.add_videos(impressions)
        self._evaluation.add_impressions(impressions)

    def write(self, name: str, shard: int, table: pa.Table) -> None:
        """Takes a shard of the feature table; states are not looked at."""
        if name != FEATURES or not table.num_rows:
            return
        block = UserBlock(table, self._calendar)
        self._users.add(block.user_ids, block.rows_of_users)
        for gatherer in (
            self._days,
            self._lengths,
            self._clock,
            self._watching,
            self._labels,
            self._evaluation,
        ):
            gatherer.add(block)
        self._columns.add(table)
        self._singles.add(block, every=-(-self._rows_in // MOST_ROWS))
        self._size.add(table)

    def result(self, summary: LogSummary, threads: int) -> Numbers:
        """The numbers, once the engine is done."""
        agreeing = {
            ", ".join(pair): rows for pair, rows in self._labels.agreeing.items()
        }
        return Numbers(
            rows_in=summary.rows_in,
            left_out=summary.left_out,
            examples=summary.examples,
            rejects=self._rejects.result(),
            days=self._days.result(),
            hours=self._days.hours(),
            users=self._users.ids,
            videos=self._videos.ids,
            top_users=self._users.most(),
            top_videos=self._videos.most(),
            lengths=self._lengths.result(),
            clock=self._clock.result(),
            watching=self._watching.result(),
            groups=self._labels.result(),
            agreeing=agreeing,
            columns=self._columns.result(),
            singles=self._singles.result(threads),
            single_users=self._singles.users,
            split=self._evaluation.result(),
            example_bytes=self._size.mean_bytes,
        )

    def __enter__(self) -> Gathered:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
