"""The pass over subjects in Beam, between that over videos and that over users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.beam.coder import declare_type
from preprocessing.engine.partition import partition
from preprocessing.engine.rates import subject_shard
from preprocessing.features.rates.overall import Overall, add_totals, overall_before
from preprocessing.state.rates import (
    KEY,
    divide_rate_state,
    rate_state_schema,
    select_rate_state,
)

Shard = tuple[int, pa.Table]

# Outputs of the passes: events and days' totals of `engine.rates.VideosRates`, and
# parts of the next state.
EVENTS, TOTALS, COUNTED = "events", "totals", "counted"
_EVERYTHING, _ANSWERS = "everything", "answers"


@beam.typehints.with_output_types(Shard)
class Partition(beam.DoFn):
    """Divides tables by `engine.partition.partition`.

    Args:
        key: As there.
        shards: As there.
    """

    def __init__(self, key: str, shards: int):
        self._key = key
        self._shards = shards

    def process(self, table: pa.Table) -> Iterator[Shard]:
        """The shards of a table."""
        yield from partition(table, self._key, self._shards)


class DividedState(NamedTuple):
    """A rates' state by the pass that continues it, as tables for its shards."""

    videos: beam.PCollection[pa.Table]
    users: beam.PCollection[pa.Table]
    subjects: beam.PCollection[pa.Table]
    everything: beam.PCollection[pa.Table]


class DivideState(beam.PTransform):
    """Divides a rates' state by `state.rates.divide_rate_state`.

    Args:
        features: The feature configuration.
    """

    def __init__(self, features: FeatureConfig):
        super().__init__()
        self._features = features

    def expand(self, tables: beam.PCollection[pa.Table]) -> DividedState:
        """One collection for each pass."""
        passes = ("users", "subjects", _EVERYTHING)
        divided = tables | "Divide" >> beam.ParDo(_Divide(self._features)).with_outputs(
            *passes, main="videos"
        )
        parts = {n: declare_type(divided[n], pa.Table) for n in ("videos", *passes)}
        return DividedState(**parts)


class CountedSubjects(NamedTuple):
    """What the pass over users needs, and the next state so far.

    Attributes:
        for_users: Answers and known sums, as tables for the users' shards.
        overall: Side inputs, for `overall_of`.
        states: Tables by `state.rates.rate_state_schema`.
    """

    for_users: list[beam.PCollection[pa.Table]]
    overall: list[beam.pvalue.AsSideInput]
    states: list[beam.PCollection[pa.Table]]

    def state_with(self, by_user: beam.pvalue.DoOutputsTuple) -> beam.PCollection:
        """The whole next state, with what the pass over users has counted."""
        counted = declare_type(by_user[COUNTED], pa.Table)
        return (*self.states, counted) | "RatesAfter" >> beam.Flatten()


def count_subjects(
    by_video: beam.pvalue.DoOutputsTuple, known: DividedState, features: FeatureConfig
) -> CountedSubjects:
    """The pass over subjects, and the whole log's rates.

    Args:
        by_video: Outputs of the pass over videos, `EVENTS`, `TOTALS` and `COUNTED`
            among them.
        known: The state before.
        features: The feature configuration.
    """
    events = declare_type(by_video[EVENTS], pa.Table)
    subjects = (
        (events, known.subjects)
        | "SubjectsInputs" >> beam.Flatten()
        | "BySubject" >> beam.ParDo(Partition(KEY, features.shards))
        | "SubjectShards" >> beam.GroupByKey()
        | "CountBefore"
        >> beam.ParDo(_SubjectShard(features)).with_outputs(COUNTED, main=_ANSWERS)
    )
    totals = declare_type(by_video[TOTALS], pa.Table) | (
        "AddTotals" >> beam.CombineGlobally(add_totals, features)
    )
    totals = declare_type(totals, pa.Table)
    everything = beam.pvalue.AsList(known.everything)
    after = totals | "OverallState" >> beam.Map(_overall_state, everything, features)
    counted = (by_video[COUNTED], subjects[COUNTED], after)
    return CountedSubjects(
        [declare_type(subjects[_ANSWERS], pa.Table), known.users],
        [beam.pvalue.AsSingleton(totals), everything],
        [declare_type(state, pa.Table) for state in counted],
    )


def overall_of(
    totals: pa.Table, known: Sequence[pa.Table], features: FeatureConfig
) -> Overall:
    """The whole log's rates, of the side inputs of `CountedSubjects.overall`."""
    empty = rate_state_schema(features).empty_table()
    return overall_before(totals, pa.concat_tables([empty, *known]), features)


def _overall_state(
    totals: pa.Table, known: Sequence[pa.Table], features: FeatureConfig
) -> pa.Table:
    return overall_of(totals, known, features).state


@beam.typehints.with_output_types(pa.Table)
class _Divide(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(self, table: pa.Table) -> Iterator[pa.Table | TaggedOutput]:
        selected = select_rate_state(table, self._features)
        for counted_in, rows in divide_rate_state(selected, self._features):
            if counted_in == "videos":
                yield rows
            else:
                yield TaggedOutput(counted_in or _EVERYTHING, rows)


@beam.typehints.with_output_types(pa.Table)
class _SubjectShard(beam.DoFn):
    def __init__(self, features: FeatureConfig):
        self._features = features

    def process(
        self, shard: tuple[int, Iterable[pa.Table]]
    ) -> Iterator[pa.Table | TaggedOutput]:
        subjects = subject_shard(shard[1], self._features)
        yield TaggedOutput(COUNTED, subjects.state)
        yield from subjects.answers
