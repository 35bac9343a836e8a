"""The steps that every engine shares: read a part, compute a shard, end a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from preprocessing.checks.counts import LogSummary, check_rejects
from preprocessing.checks.day_window import ALL_DAYS, DayWindow
from preprocessing.checks.duplicates import drop_duplicates
from preprocessing.checks.log_end import drop_after_end
from preprocessing.checks.rejects import MALFORMED, UNCLOSED, reject_lines
from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import SOURCE_FILE, SOURCE_ROW
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import traced_schema
from preprocessing.engine.rates import (
    VideosRates,
    count_users,
    count_videos,
    number_rows,
    users_as_they_were,
)
from preprocessing.features.columns import feature_schema
from preprocessing.features.next_state import next_user_state, next_video_state
from preprocessing.features.passes import user_features, video_features
from preprocessing.features.past import collect
from preprocessing.features.rates.overall import Overall
from preprocessing.features.rates.subject_pass import is_answer
from preprocessing.sources import FilePart, Source
from preprocessing.state.files import finish_state
from preprocessing.state.info import StateInfo
from preprocessing.state.rates import is_rate_state
from preprocessing.state.schema import (
    USER_STATE_SCHEMA,
    VIDEO_STATE_SCHEMA,
    check_state,
)


class ReadRows(NamedTuple):
    """Some rows of a part of the log.

    Attributes:
        rows_in: How many rows were read, malformed lines included, those of other days
            not.
        other_days: How many rows are of days that are not asked for.
        undated: How many of `rows_in` are of no day that is known, where days are.
        left_out: How many rows `source.where` does not ask for.
        accepted: By `contract.schema.traced_schema`.
        rejects: By `checks.rejects.REJECT_SCHEMA`.
    """

    rows_in: int
    other_days: int
    undated: int
    left_out: int
    accepted: pa.Table
    rejects: pa.Table


class VideoShard(NamedTuple):
    """What the first pass makes of a shard of videos.

    Attributes:
        kept: The first of equal impressions up to the log's end, with the videos'
            features.
        rejects: The others, by `checks.rejects.REJECT_SCHEMA`.
        state: The shard's videos after the log, by `state.schema.VIDEO_STATE_SCHEMA`.
        rates: What was counted for rates; None where none are configured.
    """

    kept: pa.Table
    rejects: pa.Table
    state: pa.Table
    rates: VideosRates | None = None


class UserShard(NamedTuple):
    """What the second pass makes of a shard of users.

    Attributes:
        features: By `features.columns.feature_schema`, ordered by user (as text), time
            and video.
        state: Every user of log or state after the log, by
            `state.schema.USER_STATE_SCHEMA`.
        rate_state: The rates' state of the shard's users, by
            `state.rates.rate_state_schema`; None where no rates are configured.
    """

    features: pa.Table
    state: pa.Table
    rate_state: pa.Table | None = None


def read_part(
    source: Source,
    part: FilePart,
    config: FeatureConfig,
    watermark_ms: int | None = None,
    latest_ms: int | None = None,
    window: DayWindow = ALL_DAYS,
) -> Iterator[ReadRows]:
    """Reads and validates a part of the log.

    Args:
        source: The log.
        part: One of its parts.
        config: The feature configuration.
        watermark_ms: As for `checks.validation.validate`.
        latest_ms: As for `checks.validation.validate`.
        window: Days that are asked for.

    Raises:
        SourceError: The file cannot be read to its end.
    """
    for raw in source.read(part):
        rows = raw.table
        if window != ALL_DAYS:
            rows = window.select(rows, config.calendar)
        accepted, rejects = validate(
            rows, part.name, raw.first_row, config, watermark_ms, latest_ms
        )
        rows_in, undated = rows.num_rows, window.undated(rows)
        for lines, reason in ((raw.malformed, MALFORMED), (raw.unclosed, UNCLOSED)):
            if lines:
                lost = reject_lines(lines, reason, part.name)
                rejects = pa.concat_tables([rejects, lost])
                rows_in += len(lines)
                undated += len(lines) if window != ALL_DAYS else 0
        other_days = raw.table.num_rows - rows.num_rows
        yield ReadRows(rows_in, other_days, undated, raw.left_out, accepted, rejects)


def video_shard(
    tables: Iterable[pa.Table],
    config: FeatureConfig,
    end: int | None = None,
    shard: int = 0,
) -> VideoShard:
    """The first pass over a shard: strays and duplicates out, videos' features in.

    Args:
        tables: All impressions of some videos (`contract.schema.traced_schema`) and,
            mixed with them, any video states (`state.schema.VIDEO_STATE_SCHEMA`) and
            rates' states (`state.rates.divide_rate_state`).
        config: The feature configuration.
        end: The log's last day, by `checks.log_end.log_end`; later rows are rejects.
        shard: The shard's number.

    Raises:
        StateError: The state breaks its schema.
    """
    rates, others = _separate(tables, is_rate_state)
    log, state = _separate_state(others, VIDEO_STATE_SCHEMA)
    if log is None:
        log = traced_schema(config).empty_table()
    within, strays = drop_after_end(log, end)
    kept, repeated = drop_duplicates(within)
    rejects = pa.concat_tables([strays, repeated])
    kept = video_features(kept.drop([SOURCE_FILE, SOURCE_ROW]), state, config)
    next_state = next_video_state(kept, state)
    if config.rates is None:
        return VideoShard(kept, rejects, next_state)
    kept, counted = count_videos(number_rows(kept, shard, config), rates, config)
    return VideoShard(kept, rejects, next_state, counted)


def user_shard(
    tables: Iterable[pa.Table], config: FeatureConfig, overall: Overall | None = None
) -> UserShard:
    """The second pass over a shard: users' features, labels, and the users' new state.

    Args:
        tables: All impressions of some users, from `video_shard`, and, mixed with them,
            any user states (`state.schema.USER_STATE_SCHEMA`), rates' states
            (`state.rates.divide_rate_state`), and answers of the pass over subjects.
        config: The feature configuration.
        overall: The whole log's rates; needed where rates are configured.

    Raises:
        StateError: The state breaks its schema.
    """
    answers, others = _separate(tables, is_answer)
    rates, others = _separate(others, is_rate_state)
    log, state = _separate_state(others, USER_STATE_SCHEMA)
    if log is None:
        if state is None:
            state = USER_STATE_SCHEMA.empty_table()
        check_state(state, USER_STATE_SCHEMA)
        features = feature_schema(config).empty_table()
        return UserShard(features, state, users_as_they_were(rates, config))
    past = collect(log, state, config)
    next_state = next_user_state(past, config)
    if overall is None:
        return UserShard(user_features(past, config), next_state)
    counted = count_users(past.table, rates, answers, overall, config)
    past = past._replace(table=counted.table)
    return UserShard(user_features(past, config), next_state, counted.state)


def finish_run(
    summary: LogSummary,
    config: FeatureConfig,
    rejects_dir: str,
    state_dir: str,
    previous: StateInfo | None,
) -> None:
    """Ends a run whose tables are all written: its state is whole unless it failed.

    Args:
        summary: The run's counts.
        config: The feature configuration.
        rejects_dir: Where the rejects are, for the message.
        state_dir: Folder of the new state.
        previous: Of the state that the run started from; None without one.

    Raises:
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: Too many rows break the contract.
    """
    check_rejects(summary, config, rejects_dir)
    finish_state(state_dir, summary.last_event_ms, config, previous)


def _separate(
    tables: Iterable[pa.Table], wanted: Callable[[pa.Table], bool]
) -> tuple[list[pa.Table], list[pa.Table]]:
    """The tables that are wanted, and the others."""
    found: list[pa.Table] = []
    others: list[pa.Table] = []
    for table in tables:
        (found if wanted(table) else others).append(table)
    return found, others


def _separate_state(
    tables: Iterable[pa.Table], state_schema: pa.Schema
) -> tuple[pa.Table | None, pa.Table | None]:
    """A shard's impressions and its state, each as one table; None where none came."""
    log: list[pa.Table] = []
    state: list[pa.Table] = []
    for table in tables:
        names = table.schema.names
        (state if names == state_schema.names else log).append(table)
    return _concatenated(log), _concatenated(state)


def _concatenated(tables: list[pa.Table]) -> pa.Table | None:
    return pa.concat_tables(tables).combine_chunks() if tables else None
