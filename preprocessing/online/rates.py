"""Rates at a moment, for serving: the feature engine's counts of what was observed.

What is observed is counted by day, in whole numbers, for each subject and key. Such
counts and a state give the sums that the engine would have: a day's are one event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import begun_day
from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.rates.columns import append_rates
from preprocessing.features.rates.counting import KeyEvents, count_before
from preprocessing.features.rates.measures import MEASURES, add_measures, unpacked
from preprocessing.features.rates.overall import (
    day_totals,
    overall_before,
    rows_before,
)
from preprocessing.features.rates.passes import count_subject, state_table, sums_of
from preprocessing.features.rates.subjects import keys_of
from preprocessing.state.rates import (
    EVERYTHING,
    KEY,
    OTHER,
    SUBJECT,
    measure_names,
    rate_state_schema,
)


class RateKey(NamedTuple):
    """What is counted: a key of a subject; `other` is None for one of one column."""

    subject: str
    key: str
    other: str | None


WHOLE_LOG = RateKey(EVERYTHING, "", None)
DayCounts = dict[tuple[RateKey, int], np.ndarray]


def rate_keys(
    impressions: pa.Table, config: FeatureConfig
) -> Iterator[tuple[RateKey, int]]:
    """Every key of some impressions, the whole log's included.

    Args:
        impressions: By `contract.schema.impression_schema`.
        config: Names the subjects.

    Yields:
        The key and the impression's row.
    """
    for row in range(impressions.num_rows):
        yield WHOLE_LOG, row
    for subject in config.rate_subjects:
        keys = keys_of(impressions, subject)
        first = keys.key.to_pylist()
        second = [None] * len(first) if keys.other is None else keys.other.to_pylist()
        for key, other, row in zip(first, second, keys.row.tolist(), strict=True):
            yield RateKey(subject.name, key, other), row


def count_by_day(impressions: pa.Table, config: FeatureConfig) -> DayCounts:
    """The measures of impressions by key and day, int64 [measures] each.

    Args:
        impressions: By `contract.schema.impression_schema`.
        config: The feature configuration.
    """
    packed = add_measures(impressions, config)[MEASURES].to_numpy()
    measures = unpacked(packed, len(measure_names(config))).astype(np.int64)
    days = days_of(to_array(impressions[EVENT_TIME]).to_numpy(), config)
    counts: DayCounts = {}
    for key, row in rate_keys(impressions, config):
        place = key, days[row]
        counts[place] = counts.get(place, 0) + measures[:, row]
    return counts


def days_of(times_ms: Sequence[int] | np.ndarray, config: FeatureConfig) -> list[int]:
    """The day of each time, as rates count days."""
    days: list[int] = begun_day(
        np.asarray(times_ms, np.int64), config.calendar
    ).tolist()
    return days


def advance_rates(
    state: pa.Table,
    counts: Mapping[tuple[RateKey, int], np.ndarray],
    config: FeatureConfig,
) -> pa.Table:
    """A rates' state after days that were counted.

    Args:
        state: By `state.rates.rate_state_schema`.
        counts: Of `count_by_day`, of what came after the state.
        config: The feature configuration.

    Returns:
        By the same schema: the keys of both.
    """
    names = measure_names(config)
    half_lives = {s.name: s.half_life_days for s in config.rate_subjects}
    columns = (state[name].to_pylist() for name in (SUBJECT, KEY, OTHER))
    known = [RateKey(*key) for key in zip(*columns, strict=True)]
    tables = [rate_state_schema(config).empty_table()]
    for subject in (EVERYTHING, *half_lives):
        places = [place for place in counts if place[0].subject == subject]
        rows = [i for i, key in enumerate(known) if key.subject == subject]
        code: dict[RateKey, int] = {}
        for key in (*(known[i] for i in rows), *(key for key, _ in places)):
            code.setdefault(key, len(code))
        events = KeyEvents(
            np.array([code[key] for key, _ in places], dtype=np.int64),
            np.array([day for _, day in places], dtype=np.int64),
            np.array([day for _, day in places], dtype=np.int64),
            np.array([counts[place] for place in places]).reshape(-1, len(names)).T,
        )
        codes = np.array([code[known[i]] for i in rows], dtype=np.int64)
        before = sums_of(state.take(pa.array(rows, pa.int64())), codes, names)
        half_life = half_lives.get(subject)
        _, after = count_before(events, before, False, half_life)
        keys = [list(code)[place] for place in after.key.tolist()]
        texts = (
            pa.array([key.key for key in keys], pa.string()),
            pa.array([key.other for key in keys], pa.string()),
        )
        tables.append(state_table(after, subject, texts, config))
    return pa.concat_tables(tables)


def compute_rates_at(
    impressions: pa.Table, state: pa.Table, config: FeatureConfig
) -> dict[str, list[float]]:
    """The rates and counts that impressions of one moment would have.

    The engine's own counting of these impressions computes them, which do not see each
    other.

    Args:
        impressions: By `contract.schema.impression_schema`, all of one time.
        state: By `state.rates.rate_state_schema`: what is known of their keys, and the
            whole log's row.
        config: The configuration that the model was trained with.

    Returns:
        `config.rate_columns` by name, a value per impression.
    """
    table = add_measures(impressions, config)
    everything = state.filter(pc.equal(state[SUBJECT], EVERYTHING))
    overall = overall_before(day_totals(table, config), everything, config)
    counts = {
        subject.name: count_subject(table, subject, state, config)[0]
        for subject in config.rate_subjects
    }
    rated = append_rates(table, counts, rows_before(table, overall, config), config)
    return {name: rated[name].to_pylist() for name in config.rate_columns}
