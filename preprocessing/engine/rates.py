"""The rates' part of each step of a shard: what it counts, and what it hands on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from preprocessing.contract.column_names import USER_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.partition import assign_shards
from preprocessing.features.rates.columns import append_rates
from preprocessing.features.rates.measures import add_measures
from preprocessing.features.rates.overall import Overall, day_totals, rows_before
from preprocessing.features.rates.passes import count_subject, subjects_of
from preprocessing.features.rates.subject_pass import (
    ROW,
    SHARD,
    answer_events,
    answered,
    is_answer,
    subject_events,
)
from preprocessing.state.rates import (
    is_rate_state,
    measure_names,
    rate_state_schema,
    rates_of_pass,
)

# Rows of a shard of videos that can be told apart.
_MOST_ROWS = 1 << 40


class VideosRates(NamedTuple):
    """What the pass over videos counts in a shard.

    Attributes:
        state: Of the shard's videos, by `state.rates.rate_state_schema`.
        events: For the pass over subjects, by
            `features.rates.subject_pass.subject_events`.
        totals: Of all rows by day, by `features.rates.overall.day_totals`.
    """

    state: pa.Table
    events: list[pa.Table]
    totals: pa.Table


class UsersRates(NamedTuple):
    """What the pass over users counts in a shard.

    Attributes:
        table: The impressions with `config.rate_columns`.
        state: Of the shard's users, by `state.rates.rate_state_schema`.
    """

    table: pa.Table
    state: pa.Table


class SubjectShard(NamedTuple):
    """What the pass over subjects makes of a shard.

    Attributes:
        answers: For the users' shards, by `features.rates.subject_pass.answer_events`.
        state: Of the shard's keys, by `state.rates.rate_state_schema`.
    """

    answers: list[pa.Table]
    state: pa.Table


def number_rows(table: pa.Table, shard: int, config: FeatureConfig) -> pa.Table:
    """Adds what the passes after that over videos need of each impression.

    Args:
        table: A shard's impressions.
        shard: Its number, of `config.shards`.
        config: The feature configuration.
    """
    table = add_measures(table, config)
    if not subjects_of(config, "subjects"):
        return table
    numbers = shard * _MOST_ROWS + np.arange(table.num_rows)
    users = assign_shards(table[USER_ID], config.shards)
    table = table.append_column(ROW, pa.array(numbers))
    return table.append_column(SHARD, pa.array(users))


def count_videos(
    table: pa.Table, state: list[pa.Table], config: FeatureConfig
) -> tuple[pa.Table, VideosRates]:
    """Counts in a shard of videos.

    Args:
        table: Its impressions, by `number_rows`.
        state: What `state.rates.divide_rate_state` gave the pass.
        config: The feature configuration.

    Returns:
        The impressions with the counts of the videos' subjects, and the rest.
    """
    events = list(subject_events(table, config))
    totals = day_totals(table, config)
    known = rates_of_pass(state, "videos", config)
    states = [rate_state_schema(config).empty_table()]
    counted = table.drop([SHARD]) if SHARD in table.column_names else table
    for subject in subjects_of(config, "videos"):
        sums, after = count_subject(table, subject, known, config)
        states.append(after)
        for name, values in zip(measure_names(config), sums, strict=True):
            column = _carried(subject.name, name)
            counted = counted.append_column(column, pa.array(values))
    return counted, VideosRates(pa.concat_tables(states), events, totals)


def subject_shard(tables: Iterable[pa.Table], config: FeatureConfig) -> SubjectShard:
    """The pass over subjects: counts what came before each event of a shard.

    Args:
        tables: All events of some keys (`VideosRates.events`) and, mixed with them,
            rates' states (`state.rates.divide_rate_state`).
        config: The feature configuration.

    Raises:
        StateError: The state breaks its schema.
    """
    tables = list(tables)
    states = [table for table in tables if is_rate_state(table)]
    known = rates_of_pass(states, "subjects", config)
    events = [table for table in tables if is_answer(table)]
    if not events:
        return SubjectShard([], known)
    return SubjectShard(*answer_events(pa.concat_tables(events), known, config))


def count_users(
    table: pa.Table,
    state: list[pa.Table],
    answers: list[pa.Table],
    overall: Overall,
    config: FeatureConfig,
) -> UsersRates:
    """Counts in a shard of users, and makes rates of all counts.

    Args:
        table: Its impressions, from `count_videos`, in any order.
        state: What `state.rates.divide_rate_state` gave the pass.
        answers: What `subject_shard` answered for these impressions.
        overall: The whole log's rates.
        config: The feature configuration.
    """
    known = rates_of_pass(state, "users", config)
    names, states = measure_names(config), [rate_state_schema(config).empty_table()]
    counts: dict[str, np.ndarray] = {}
    for subject in subjects_of(config, "videos"):
        columns = [table[_carried(subject.name, name)].to_numpy() for name in names]
        counts[subject.name] = np.array(columns)
    if subjects_of(config, "subjects"):
        counts |= answered(table, answers, config)
    for subject in subjects_of(config, "users"):
        counts[subject.name], after = count_subject(table, subject, known, config)
        states.append(after)
    before = rows_before(table, overall, config)
    rated = append_rates(table, counts, before, config)
    return UsersRates(rated, pa.concat_tables(states))


def users_as_they_were(state: list[pa.Table], config: FeatureConfig) -> pa.Table | None:
    """The rates' state of a shard of users without impressions."""
    return None if config.rates is None else rates_of_pass(state, "users", config)


def _carried(subject: str, measure: str) -> str:
    """Name of a column that holds a count until it becomes a rate."""
    return f"__{subject}_{measure}"
