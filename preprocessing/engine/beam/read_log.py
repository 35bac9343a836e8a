"""Reads and validates a log in Beam, with the state that it starts from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from preprocessing.checks.counts import LogSummary
from preprocessing.checks.day_window import ALL_DAYS, DayWindow
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.coder import declare_type
from preprocessing.engine.log_input import open_log
from preprocessing.engine.steps import read_part
from preprocessing.sources import FilePart, open_source
from preprocessing.state.files import read_state


class ValidatedLog(NamedTuple):
    """A validated log, and what is known before it.

    Attributes:
        accepted: Tables by `contract.schema.traced_schema`.
        rejects: Tables by `checks.rejects.REJECT_SCHEMA`.
        read: `LogSummary`s of the rows read: how many, and how many of other days.
        user_state: Tables by `state.schema.USER_STATE_SCHEMA`; may be empty.
        video_state: Tables by `state.schema.VIDEO_STATE_SCHEMA`; may be empty.
        rate_state: Tables by `state.rates.rate_state_schema`; may be empty.
    """

    accepted: beam.PCollection[pa.Table]
    rejects: beam.PCollection[pa.Table]
    read: beam.PCollection[LogSummary]
    user_state: beam.PCollection[pa.Table]
    video_state: beam.PCollection[pa.Table]
    rate_state: beam.PCollection[pa.Table]


class ReadImpressions(beam.PTransform):
    """Reads a log in parallel and validates it.

    Files are found and their columns checked when the pipeline is put together, so a
    wrong folder fails at once.

    Args:
        source: The log's format.
        features: Says which columns are needed.
        data_dir: Folder (or file) of the log: a path or a URI.
        state_dir: State to start from (`state.files.open_state`); replaces the
            source's own.
        window: Days that are asked for; rows of others are left out.

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
        window: DayWindow = ALL_DAYS,
    ):
        super().__init__()
        self._source = source
        self._features = features
        self._data_dir = str(data_dir)
        self._state_dir = state_dir
        self._window = window

    def expand(self, pbegin: beam.pvalue.PBegin) -> ValidatedLog:
        """Parts of the log and of the state → read; the log is also validated."""
        arguments = (self._source, self._features, self._data_dir)
        log = open_log(*arguments, self._state_dir, self._window)
        read = (
            pbegin
            | "Parts" >> beam.Create(log.parts(), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "ReadAndValidate"
            >> beam.ParDo(
                _ReadPart(*arguments, log.watermark_ms, log.latest_ms, log.window)
            ).with_outputs(_REJECTS, _READ, main=_ACCEPTED)
        )
        user_state = (
            pbegin
            | "UserStateParts" >> beam.Create(log.user_parts(), reshuffle=False)
            | "SpreadUserState" >> beam.Reshuffle()
            | "ReadUserState"
            >> beam.FlatMap(log.read_users).with_output_types(pa.Table)
        )
        video_state = (
            pbegin
            | "VideoStateParts" >> beam.Create(log.video_parts(), reshuffle=False)
            | "SpreadVideoState" >> beam.Reshuffle()
            | "ReadVideoState" >> beam.FlatMap(read_state).with_output_types(pa.Table)
        )
        rate_state = (
            pbegin
            | "RateStateParts" >> beam.Create(log.rate_parts(), reshuffle=False)
            | "SpreadRateState" >> beam.Reshuffle()
            | "ReadRateState" >> beam.FlatMap(read_state).with_output_types(pa.Table)
        )
        return ValidatedLog(
            accepted=declare_type(read[_ACCEPTED], pa.Table),
            rejects=declare_type(read[_REJECTS], pa.Table),
            read=declare_type(read[_READ], LogSummary),
            user_state=user_state,
            video_state=video_state,
            rate_state=rate_state,
        )


_ACCEPTED, _REJECTS, _READ = "accepted", "rejects", "read"


@beam.typehints.with_output_types(pa.Table)
class _ReadPart(beam.DoFn):
    def __init__(
        self,
        source: SourceConfig,
        features: FeatureConfig,
        data_dir: str,
        watermark_ms: int | None,
        latest_ms: int | None,
        window: DayWindow,
    ):
        self._source = source
        self._features = features
        self._data_dir = data_dir
        self._limits = (watermark_ms, latest_ms, window)

    def setup(self) -> None:
        self._log = open_source(self._source, self._features, self._data_dir)

    def process(self, part: FilePart) -> Iterator[pa.Table | TaggedOutput]:
        for rows in read_part(self._log, part, self._features, *self._limits):
            counts = LogSummary(
                rows.rows_in, other_days=rows.other_days, left_out=rows.left_out
            )
            yield TaggedOutput(_READ, counts)
            if rows.rejects.num_rows:
                yield TaggedOutput(_REJECTS, rows.rejects)
            if rows.accepted.num_rows:
                yield rows.accepted
