"""The feature engine in Beam: two keyed passes over whole shards, no joins.

    log = pipeline | ReadImpressions(source, features, data_dir)
    result = log | BuildFeatures(features)
    result.features   # PCollection[pa.Table], by features.feature_schema
    write_rejects(result, rejects_dir)
    write_state(result, new_state_dir)

and once the pipeline has finished

    summary = read_summary(rejects_dir)
    check_rejects(summary, features, rejects_dir)
    finish_state(new_state_dir, summary.last_event_ms, features, previous)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.parquetio import WriteToParquetBatched
from apache_beam.pvalue import TaggedOutput

from preprocessing.checks.counts import (
    EmptyLogError,
    LogSummary,
    RejectLimitExceeded,
    Tally,
    check_rejects,
)
from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.contract.schema import REJECT_SCHEMA
from preprocessing.engine.beam import coder as table_coder  # noqa: F401  (registers the coder of tables)
from preprocessing.engine.partition import partition
from preprocessing.engine.steps import read_split, user_shard, video_shard
from preprocessing.sources import Split, open_source
from preprocessing.state.files import (
    USER_STATE,
    VIDEO_STATE,
    StateInfo,
    finish_state,
    open_state,
    read_state,
)
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.storage.files import DataFile

__all__ = [
    "BuildFeatures",
    "EmptyLogError",
    "FeatureOutputs",
    "Impressions",
    "LogSummary",
    "ReadImpressions",
    "RejectLimitExceeded",
    "check_rejects",
    "finish_state",
    "read_summary",
    "write_rejects",
    "write_state",
]

SUMMARY_FILE = "summary.json"

Shard = tuple[int, pa.Table]


class Impressions(NamedTuple):
    """A validated log.

    Attributes:
        accepted: Tables by `contract.traced_schema`.
        rejects: Tables by `contract.REJECT_SCHEMA`.
        rows_in: Rows read, in parts.
        user_state: Tables by `state.USER_STATE_SCHEMA`; may be empty.
        video_state: Tables by `state.VIDEO_STATE_SCHEMA`; may be empty.
    """

    accepted: beam.PCollection[pa.Table]
    rejects: beam.PCollection[pa.Table]
    rows_in: beam.PCollection[int]
    user_state: beam.PCollection[pa.Table]
    video_state: beam.PCollection[pa.Table]


class FeatureOutputs(NamedTuple):
    """What the engine makes of a log.

    Attributes:
        features: The feature table in parts, each by `features.feature_schema`.
        rejects: Rows that broke the contract, by `contract.REJECT_SCHEMA`.
        summary: One `LogSummary`.
        user_state: Every user after the log, by `state.USER_STATE_SCHEMA`.
        video_state: Every video after the log, by `state.VIDEO_STATE_SCHEMA`.
    """

    features: beam.PCollection[pa.Table]
    rejects: beam.PCollection[pa.Table]
    summary: beam.PCollection[LogSummary]
    user_state: beam.PCollection[pa.Table]
    video_state: beam.PCollection[pa.Table]


class ReadImpressions(beam.PTransform):
    """Reads a log in parallel and validates it.

    Files are found and their columns checked when the pipeline is put together, so a
    wrong folder fails at once.

    Args:
        source: The log's format.
        features: Says which columns are needed.
        data_dir: Folder (or file) of the log: a path or a URI.
        state_dir: State that the log goes on from (`state_files.open_state`), in the
            place of one that the source brings.

    Raises:
        SourceError: From `expand`: the input cannot be used.
        StateError: From `expand`: the state cannot be used.
    """

    def __init__(
        self,
        source: SourceConfig,
        features: FeatureConfig,
        data_dir: str,
        state_dir: str | None = None,
    ):
        super().__init__()
        self._source = source
        self._features = features
        self._data_dir = str(data_dir)
        self._state_dir = state_dir

    def expand(self, pbegin: beam.pvalue.PBegin) -> Impressions:
        """Splits → read and validate."""
        arguments = (self._source, self._features, self._data_dir)
        state = None
        if self._state_dir is not None:
            state = open_state(self._state_dir, self._features)
        splits = open_source(*arguments).splits()
        read = (
            pbegin
            | "Splits" >> beam.Create(splits, reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "ReadAndValidate"
            >> beam.ParDo(
                _ReadSplit(*arguments, state.info if state else None)
            ).with_outputs(_REJECTS, _ROWS_IN, main=_ACCEPTED)
        )
        if state is None:
            user_state = (
                pbegin
                | "Once" >> beam.Create([None])
                | "ReadUserState" >> beam.ParDo(_ReadUserState(*arguments))
            )
            video_state = pbegin | "NoVideoState" >> _no_tables()
        else:
            user_state = pbegin | "UserState" >> _ReadState(state.user_files)
            video_state = pbegin | "VideoState" >> _ReadState(state.video_files)
        return Impressions(
            accepted=_typed(read[_ACCEPTED], pa.Table),
            rejects=_typed(read[_REJECTS], pa.Table),
            rows_in=_typed(read[_ROWS_IN], int),
            user_state=_typed(user_state, pa.Table),
            video_state=_typed(video_state, pa.Table),
        )


class BuildFeatures(beam.PTransform):
    """Computes point-in-time features of a validated log.

    Partition by video → duplicates and video features → partition by user → user
    features and labels. Works on whole shards as Arrow tables.

    Args:
        features: The feature configuration.
    """

    def __init__(self, features: FeatureConfig):
        super().__init__()
        self._features = features

    def expand(self, log: Impressions) -> FeatureOutputs:
        """Two keyed passes, and the counts."""
        by_video = (
            (log.accepted, log.video_state)
            | "VideosInputs" >> beam.Flatten()
            | "ByVideo" >> beam.ParDo(_Partition(VIDEO_ID, self._features.shards))
            | "VideoShards" >> beam.GroupByKey()
            | "VideoFeatures"
            >> beam.ParDo(_VideoShard(self._features)).with_outputs(
                _REJECTS, _STATE, main=_ACCEPTED
            )
        )
        seen = _typed(by_video[_ACCEPTED], pa.Table)
        by_user = (
            (seen, log.user_state)
            | "UsersInputs" >> beam.Flatten()
            | "ByUser" >> beam.ParDo(_Partition(USER_ID, self._features.shards))
            | "UserShards" >> beam.GroupByKey()
            | "UserFeatures"
            >> beam.ParDo(_UserShard(self._features)).with_outputs(
                _STATE, main=_FEATURES
            )
        )
        features = _typed(by_user[_FEATURES], pa.Table)
        repeated = _typed(by_video[_REJECTS], pa.Table)
        rejects = (log.rejects, repeated) | "AllRejects" >> beam.Flatten()
        counts = (
            log.rows_in | "CountRead" >> beam.Map(_count_read),
            features | "CountExamples" >> beam.Map(Tally.of_examples),
            rejects | "CountReasons" >> beam.Map(Tally.of_rejects),
        )
        summary = (
            counts
            | "AllCounts" >> beam.Flatten()
            | "AddUp" >> beam.CombineGlobally(Tally.total)
            | "Summarize" >> beam.Map(Tally.summary)
        )
        return FeatureOutputs(
            features,
            rejects,
            summary,
            user_state=_typed(by_user[_STATE], pa.Table),
            video_state=_typed(by_video[_STATE], pa.Table),
        )


def write_rejects(outputs: FeatureOutputs, rejects_dir: str) -> None:
    """Writes the rejected rows (Parquet) and the counts (`summary.json`).

    Args:
        outputs: Of `BuildFeatures`.
        rejects_dir: Folder, a path or a URI.
    """
    _ = outputs.rejects | "WriteRejects" >> WriteToParquetBatched(
        FileSystems.join(rejects_dir, "rejects"),
        REJECT_SCHEMA,
        file_name_suffix=".parquet",
    )
    _ = (
        outputs.summary
        | "SummaryAsJson" >> beam.Map(LogSummary.to_json)
        | "WriteSummary"
        >> beam.io.WriteToText(
            FileSystems.join(rejects_dir, SUMMARY_FILE),
            num_shards=1,
            shard_name_template="",
        )
    )


def write_state(outputs: FeatureOutputs, state_dir: str) -> None:
    """Writes the state after the log (Parquet); `finish_state` marks it as whole.

    Args:
        outputs: Of `BuildFeatures`.
        state_dir: An empty folder, a path or a URI.
    """
    for name, tables, schema in (
        (USER_STATE, outputs.user_state, USER_STATE_SCHEMA),
        (VIDEO_STATE, outputs.video_state, VIDEO_STATE_SCHEMA),
    ):
        _ = tables | f"Write[{name}]" >> WriteToParquetBatched(
            FileSystems.join(state_dir, name, "part"),
            schema,
            file_name_suffix=".parquet",
        )


def read_summary(rejects_dir: str) -> LogSummary:
    """Reads the counts that `write_rejects` left in a folder."""
    with FileSystems.open(FileSystems.join(rejects_dir, SUMMARY_FILE)) as file:
        return LogSummary.from_json(file.read().decode("utf-8"))


_ACCEPTED, _REJECTS, _ROWS_IN = "accepted", "rejects", "rows_in"
_FEATURES, _STATE = "features", "state"


@beam.typehints.with_output_types(pa.Table)
class _ReadSplit(beam.DoFn):
    def __init__(
        self,
        source: SourceConfig,
        features: FeatureConfig,
        data_dir: str,
        state: StateInfo | None,
    ):
        self._source = source
        self._features = features
        self._data_dir = data_dir
        self._state = state

    def setup(self) -> None:
        self._log = open_source(self._source, self._features, self._data_dir)

    def process(self, split: Split) -> Iterator[pa.Table | TaggedOutput]:
        for rows in read_split(self._log, split, self._features, self._state):
            yield TaggedOutput(_ROWS_IN, rows.rows_in)
            if rows.rejects.num_rows:
                yield TaggedOutput(_REJECTS, rows.rejects)
            if rows.accepted.num_rows:
                yield rows.accepted


@beam.typehints.with_output_types(pa.Table)
class _ReadUserState(beam.DoFn):
    def __init__(self, source: SourceConfig, features: FeatureConfig, data_dir: str):
        self._arguments = (source, features, data_dir)

    def process(self, _: None) -> Iterator[pa.Table]:
        state = open_source(*self._arguments).user_state()
        if state is not None:
            yield state


class _ReadState(beam.PTransform):
    def __init__(self, files: Sequence[DataFile]):
        super().__init__()
        self._files = files

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[pa.Table]:
        return (
            pbegin
            | "Files" >> beam.Create(self._files, reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(read_state).with_output_types(pa.Table)
        )


@beam.typehints.with_output_types(Shard)
class _Partition(beam.DoFn):
    def __init__(self, key: str, shards: int):
        self._key = key
        self._shards = shards

    def process(self, table: pa.Table) -> Iterator[Shard]:
        yield from partition(table, self._key, self._shards)


@beam.typehints.with_output_types(pa.Table)
class _VideoShard(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(
        self, shard: tuple[int, Iterable[pa.Table]]
    ) -> Iterator[pa.Table | TaggedOutput]:
        videos = video_shard(shard[1], self._features)
        if videos.rejects.num_rows:
            yield TaggedOutput(_REJECTS, videos.rejects)
        yield TaggedOutput(_STATE, videos.state)
        if videos.kept.num_rows:
            yield videos.kept


@beam.typehints.with_output_types(pa.Table)
class _UserShard(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(
        self, shard: tuple[int, Iterable[pa.Table]]
    ) -> Iterator[pa.Table | TaggedOutput]:
        users = user_shard(shard[1], self._features)
        yield TaggedOutput(_STATE, users.state)
        if users.features.num_rows:
            yield users.features


def _count_read(rows: int) -> Tally:
    return Tally(rows_in=rows)


def _typed(collection: beam.PCollection, kind: type) -> beam.PCollection:
    """Tells Beam the type, and with it the coder, of a tagged output."""
    collection.element_type = kind
    return collection


def _no_tables() -> beam.PTransform:
    return beam.Create([]).with_output_types(pa.Table)
