"""The counts of subjects in each of the engine's passes.

A video's subjects are counted where all rows of a video are, a user's where all rows of
a user are, and those of other keys in a pass of their own
(`features.rates.subject_pass`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import begun_day
from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import Pass, Subject
from preprocessing.features.rates.counting import DaySums, KeyEvents, count_before
from preprocessing.features.rates.measures import MEASURES, unpacked
from preprocessing.features.rates.subjects import (
    KeyTexts,
    SubjectKeys,
    codes_of,
    is_each_row,
    keys_of,
)
from preprocessing.state.rates import (
    DAY,
    KEY,
    OTHER,
    SUBJECT,
    measure_names,
    rate_state_schema,
)


def subjects_of(config: FeatureConfig, counted_in: Pass) -> tuple[Subject, ...]:
    """The subjects that a pass counts."""
    return tuple(s for s in config.rate_subjects if s.counted_in == counted_in)


def count_subject(
    table: pa.Table, subject: Subject, state: pa.Table, config: FeatureConfig
) -> tuple[np.ndarray, pa.Table]:
    """Sums over what came before each impression, and the subject's next state.

    Of an impression with several keys the sums of its keys are added up.

    Args:
        table: Impressions with `MEASURES`: all of each key of the subject.
        subject: One of the configuration.
        state: By `state.rates.rate_state_schema`; other subjects' rows are ignored.
        config: Gives calendar and labels.

    Returns:
        float64 [measures, rows], and a table of the state's schema.
    """
    keys = keys_of(table, subject)
    found, after = count_keys(
        keys,
        to_array(table[EVENT_TIME]).to_numpy()[keys.row],
        to_array(table[MEASURES]).to_numpy()[keys.row],
        subject,
        state,
        config,
    )
    return add_up(found, keys.row, table.num_rows), after


def add_up(found: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """Sums of keys added up for each impression, float64 [measures, rows].

    Args:
        found: Sums of keys [measures, keys].
        row: Index of each key's impression [keys], ascending.
        rows: How many impressions there are.
    """
    if is_each_row(row, rows):
        return found
    sums = [np.bincount(row, values, rows) for values in found]
    return np.array(sums, dtype=np.float64)  # of no keys at all they are whole numbers


def count_keys(
    keys: SubjectKeys,
    time_ms: np.ndarray,
    packed: np.ndarray,
    subject: Subject,
    state: pa.Table,
    config: FeatureConfig,
) -> tuple[np.ndarray, pa.Table]:
    """Sums over what came before each key's event, and the subject's next state.

    Args:
        keys: Of all impressions of each key that occurs.
        time_ms: Of each key's impression, int64 [keys].
        packed: Its `MEASURES`, int64 [keys].
        subject: One of the configuration.
        state: By `state.rates.rate_state_schema`; other subjects' rows are ignored.
        config: Gives calendar and labels.

    Returns:
        float64 [measures, keys], and a table of the state's schema.
    """
    measures = measure_names(config)
    state = state.filter(pc.equal(state[SUBJECT], subject.name))
    known = [to_array(state[name]) for name in (KEY, OTHER)]
    state_codes, codes, texts = codes_of(keys, *known)
    events = KeyEvents(
        codes,
        time_ms,
        begun_day(time_ms, config.calendar),
        unpacked(packed, len(measures)),
    )
    found, after = count_before(
        events,
        sums_of(state, state_codes, measures),
        subject.clock == "moment",
        subject.half_life_days,
    )
    return found, _as_state(after, texts, subject.name, config)


def sums_of(state: pa.Table, codes: np.ndarray, measures: Sequence[str]) -> DaySums:
    """A state's sums.

    Args:
        state: By `state.rates.rate_state_schema`.
        codes: The code of each row's key, int64 [keys].
        measures: Names of the measures.
    """
    rows = state.num_rows

    def sums(name: str) -> np.ndarray:
        columns = [to_array(state[f"{m}_{name}"]).to_numpy() for m in measures]
        return np.array(columns, dtype=np.float64).reshape(len(measures), rows)

    day = to_array(state[DAY]).to_numpy()
    return DaySums(codes, day, sums("before"), sums("today"))


def state_table(
    after: DaySums,
    subject: str,
    keys: tuple[pa.Array, pa.Array],
    config: FeatureConfig,
) -> pa.Table:
    """Sums as a table of `state.rates.rate_state_schema`; `keys` are their texts."""
    sums = []
    for before, today in zip(after.before, after.today, strict=True):
        sums += [pa.array(before), pa.array(today.astype(np.int64))]
    names = pa.array([subject]).take(pa.array(np.zeros(len(after.day), np.int64)))
    columns = [names, *keys, pa.array(after.day), *sums]
    return pa.Table.from_arrays(columns, schema=rate_state_schema(config))


def _as_state(
    after: DaySums, texts: KeyTexts, subject: str, config: FeatureConfig
) -> pa.Table:
    return state_table(after, subject, texts.of(after.key), config)
