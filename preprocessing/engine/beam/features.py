"""The feature engine in Beam: two keyed passes over whole shards, no joins.

    log = pipeline | ReadImpressions(source, features, data_dir)
    outputs = log | BuildFeatures(features)
    outputs.features   # PCollection[pa.Table], by features.columns.feature_schema
    write_rejects(outputs, rejects_dir)
    write_state(outputs, new_state_dir, features)

and once the pipeline has finished

    summary = finish_outputs(rejects_dir, new_state_dir, features)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from preprocessing.checks.counts import LogSummary, add_counts
from preprocessing.checks.log_end import count_utc_days, log_end
from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.beam.coder import declare_type
from preprocessing.engine.beam.outputs import FeatureOutputs
from preprocessing.engine.beam.rates import (
    COUNTED,
    EVENTS,
    TOTALS,
    DivideState,
    Partition,
    count_subjects,
    overall_of,
)
from preprocessing.engine.beam.read_log import ValidatedLog
from preprocessing.engine.steps import user_shard, video_shard


class BuildFeatures(beam.PTransform):
    """Computes point-in-time features of a validated log.

    Partition by video → strays and duplicates out, video features in → partition by
    user → labels, user features and state. Works on whole shards as Arrow tables. Rates
    bring a narrow pass over their subjects between the two (`engine.beam.rates`).

    Args:
        features: The feature configuration.
    """

    def __init__(self, features: FeatureConfig):
        super().__init__()
        self._features = features

    def expand(self, log: ValidatedLog) -> FeatureOutputs:
        """Two keyed passes, and the counts."""
        days = (
            log.accepted
            | "CountDays" >> beam.Map(count_utc_days)
            | "AddDays" >> beam.CombineGlobally(add_counts)
        )
        known = None
        if self._features.rates is not None:
            known = log.rate_state | "RatesBefore" >> DivideState(self._features)
        by_video = (
            (log.accepted, log.video_state, *(() if known is None else [known.videos]))
            | "VideosInputs" >> beam.Flatten()
            | "ByVideo" >> beam.ParDo(Partition(VIDEO_ID, self._features.shards))
            | "VideoShards" >> beam.GroupByKey()
            | "VideoFeatures"
            >> beam.ParDo(
                _VideoShard(self._features), beam.pvalue.AsSingleton(days)
            ).with_outputs(_REJECTS, _STATE, EVENTS, TOTALS, COUNTED, main=_KEPT)
        )
        counted = None
        if known is not None:
            counted = count_subjects(by_video, known, self._features)
        seen = declare_type(by_video[_KEPT], pa.Table)
        by_user = (
            (seen, log.user_state, *(() if counted is None else counted.for_users))
            | "UsersInputs" >> beam.Flatten()
            | "ByUser" >> beam.ParDo(Partition(USER_ID, self._features.shards))
            | "UserShards" >> beam.GroupByKey()
            | "UserFeatures"
            >> beam.ParDo(
                _UserShard(self._features),
                *(() if counted is None else counted.overall),
            ).with_outputs(_STATE, COUNTED, main=_FEATURES)
        )
        features = declare_type(by_user[_FEATURES], pa.Table)
        repeated = declare_type(by_video[_REJECTS], pa.Table)
        rejects = (log.rejects, repeated) | "AllRejects" >> beam.Flatten()
        counts = (
            log.read,
            features | "CountExamples" >> beam.Map(LogSummary.of_examples),
            rejects | "CountReasons" >> beam.Map(LogSummary.of_rejects),
        )
        summary = (
            counts
            | "AllCounts" >> beam.Flatten()
            | "AddUp" >> beam.CombineGlobally(LogSummary.total)
            | "Summarize" >> beam.Map(LogSummary.checked)
        )
        return FeatureOutputs(
            features,
            rejects,
            summary,
            user_state=declare_type(by_user[_STATE], pa.Table),
            video_state=declare_type(by_video[_STATE], pa.Table),
            rate_state=None if counted is None else counted.state_with(by_user),
        )


_KEPT, _REJECTS = "kept", "rejects"
_FEATURES, _STATE = "features", "state"


@beam.typehints.with_output_types(pa.Table)
class _VideoShard(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(
        self, shard: tuple[int, Iterable[pa.Table]], days: Counter[int]
    ) -> Iterator[pa.Table | TaggedOutput]:
        end = log_end(days, self._features)
        videos = video_shard(shard[1], self._features, end, shard[0])
        if videos.rejects.num_rows:
            yield TaggedOutput(_REJECTS, videos.rejects)
        yield TaggedOutput(_STATE, videos.state)
        if videos.rates is not None:
            yield TaggedOutput(COUNTED, videos.rates.state)
            yield TaggedOutput(TOTALS, videos.rates.totals)
            for events in videos.rates.events:
                yield TaggedOutput(EVENTS, events)
        if videos.kept.num_rows:
            yield videos.kept


@beam.typehints.with_output_types(pa.Table)
class _UserShard(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(
        self,
        shard: tuple[int, Iterable[pa.Table]],
        totals: pa.Table | None = None,
        known: Sequence[pa.Table] = (),
    ) -> Iterator[pa.Table | TaggedOutput]:
        overall = None
        if totals is not None:
            overall = overall_of(totals, known, self._features)
        users = user_shard(shard[1], self._features, overall)
        yield TaggedOutput(_STATE, users.state)
        if users.rate_state is not None:
            yield TaggedOutput(COUNTED, users.rate_state)
        if users.features.num_rows:
            yield users.features
