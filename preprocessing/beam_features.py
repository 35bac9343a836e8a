"""The feature engine in Beam: two keyed passes over whole shards, no joins.

    log = pipeline | ReadImpressions(source, features, data_dir)
    result = log | BuildFeatures(features)
    result.features   # PCollection[pa.Table], by features.feature_schema
    write_rejects(result, rejects_dir)

and once the pipeline has finished

    check_rejects(read_summary(rejects_dir), features, rejects_dir)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.parquetio import WriteToParquetBatched
from apache_beam.pvalue import TaggedOutput

from preprocessing import table_coder  # noqa: F401  (registers the coder of tables)
from preprocessing.column_names import USER_ID, VIDEO_ID
from preprocessing.config import FeatureConfig, SourceConfig
from preprocessing.contract import REJECT_SCHEMA
from preprocessing.rejects import (
    EmptyLogError,
    LogSummary,
    RejectLimitExceeded,
    check_rejects,
    count_reasons,
    summarize,
)
from preprocessing.sharding import partition
from preprocessing.shards import read_split, user_shard, video_shard
from preprocessing.sources import Split, open_source

__all__ = [
    "BuildFeatures",
    "EmptyLogError",
    "FeatureOutputs",
    "Impressions",
    "LogSummary",
    "ReadImpressions",
    "RejectLimitExceeded",
    "check_rejects",
    "read_summary",
    "write_rejects",
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
    """

    features: beam.PCollection[pa.Table]
    rejects: beam.PCollection[pa.Table]
    summary: beam.PCollection[LogSummary]


class ReadImpressions(beam.PTransform):
    """Reads a log in parallel and validates it.

    Files are found and their columns checked when the pipeline is put together, so a
    wrong folder fails at once.

    Args:
        source: The log's format.
        features: Says which columns are needed.
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        SourceError: From `expand`: the input cannot be used.
    """

    def __init__(self, source: SourceConfig, features: FeatureConfig, data_dir: str):
        super().__init__()
        self._source = source
        self._features = features
        self._data_dir = str(data_dir)

    def expand(self, pbegin: beam.pvalue.PBegin) -> Impressions:
        """Splits → read and validate."""
        arguments = (self._source, self._features, self._data_dir)
        splits = open_source(*arguments).splits()
        read = (
            pbegin
            | "Splits" >> beam.Create(splits, reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "ReadAndValidate"
            >> beam.ParDo(_ReadSplit(*arguments)).with_outputs(
                _REJECTS, _ROWS_IN, main=_ACCEPTED
            )
        )
        user_state = (
            pbegin
            | "Once" >> beam.Create([None])
            | "ReadUserState" >> beam.ParDo(_ReadUserState(*arguments))
        )
        return Impressions(
            accepted=_typed(read[_ACCEPTED], pa.Table),
            rejects=_typed(read[_REJECTS], pa.Table),
            rows_in=_typed(read[_ROWS_IN], int),
            user_state=_typed(user_state, pa.Table),
            video_state=pbegin | "NoVideoState" >> _no_tables(),
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
                _REJECTS, main=_ACCEPTED
            )
        )
        seen = _typed(by_video[_ACCEPTED], pa.Table)
        features = (
            (seen, log.user_state)
            | "UsersInputs" >> beam.Flatten()
            | "ByUser" >> beam.ParDo(_Partition(USER_ID, self._features.shards))
            | "UserShards" >> beam.GroupByKey()
            | "UserFeatures" >> beam.ParDo(_UserShard(self._features))
        )
        repeated = _typed(by_video[_REJECTS], pa.Table)
        rejects = (log.rejects, repeated) | "AllRejects" >> beam.Flatten()
        counts = (
            log.rows_in | "CountRead" >> beam.Map(_count_read),
            features | "CountExamples" >> beam.Map(_count_examples),
            rejects | "CountReasons" >> beam.Map(count_reasons),
        )
        summary = (
            counts
            | "AllCounts" >> beam.Flatten()
            | "AddUp" >> beam.CombineGlobally(_AddCounters())
            | "Summarize" >> beam.Map(_summary)
        )
        return FeatureOutputs(features, rejects, summary)


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


def read_summary(rejects_dir: str) -> LogSummary:
    """Reads the counts that `write_rejects` left in a folder."""
    with FileSystems.open(FileSystems.join(rejects_dir, SUMMARY_FILE)) as file:
        return LogSummary.from_json(file.read().decode("utf-8"))


_ACCEPTED, _REJECTS, _ROWS_IN = "accepted", "rejects", "rows_in"
_READ, _EXAMPLES = "\0rows_in", "\0examples"


@beam.typehints.with_output_types(pa.Table)
class _ReadSplit(beam.DoFn):
    def __init__(self, source: SourceConfig, features: FeatureConfig, data_dir: str):
        self._source = source
        self._features = features
        self._data_dir = data_dir

    def setup(self) -> None:
        self._log = open_source(self._source, self._features, self._data_dir)

    def process(self, split: Split) -> Iterator[pa.Table | TaggedOutput]:
        for rows in read_split(self._log, split, self._features):
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
        kept, repeated = video_shard(shard[1], self._features)
        if repeated.num_rows:
            yield TaggedOutput(_REJECTS, repeated)
        if kept.num_rows:
            yield kept


@beam.typehints.with_output_types(pa.Table)
class _UserShard(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(self, shard: tuple[int, Iterable[pa.Table]]) -> Iterator[pa.Table]:
        table = user_shard(shard[1], self._features)
        if table is not None:
            yield table


class _AddCounters(beam.CombineFn):
    def create_accumulator(self) -> Counter[str]:
        return Counter()

    def add_input(self, total: Counter[str], counts: Counter[str]) -> Counter[str]:
        total.update(counts)
        return total

    def merge_accumulators(self, totals: Iterable[Counter[str]]) -> Counter[str]:
        merged: Counter[str] = Counter()
        for total in totals:
            merged.update(total)
        return merged

    def extract_output(self, total: Counter[str]) -> Counter[str]:
        return total


def _count_read(rows: int) -> Counter[str]:
    return Counter({_READ: rows})


def _count_examples(table: pa.Table) -> Counter[str]:
    return Counter({_EXAMPLES: table.num_rows})


def _summary(counts: Counter[str]) -> LogSummary:
    reasons = Counter(counts)
    return summarize(reasons.pop(_READ, 0), reasons.pop(_EXAMPLES, 0), reasons)


def _typed(collection: beam.PCollection, kind: type) -> beam.PCollection:
    """Tells Beam the type, and with it the coder, of a tagged output."""
    collection.element_type = kind
    return collection


def _no_tables() -> beam.PTransform:
    return beam.Create([]).with_output_types(pa.Table)
