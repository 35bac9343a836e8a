"""The counts of subjects in each of the engine's passes.

A video's subjects are counted where all rows of a video are, a user's where all rows of
a user are. Those of other keys (authors, tags) are counted in a pass between the two:
`subject_events` are sent to it, divided by key, and `answer_events` sends back what
came before each, to the shard of its user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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

# Of an impression and its events: where it is among its user's shard's, which entry of
# its list an event is of, and the number of the shard.
ROW, ENTRY, SHARD = "__row", "__entry", "__shard"


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
    found, after = _count(
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


def subject_events(table: pa.Table, config: FeatureConfig) -> Iterator[pa.Table]:
    """What the pass between videos and users needs, a table for each of its subjects.

    Args:
        table: Impressions with `MEASURES`, `ROW` and `SHARD`.
        config: Names the subjects.
    """
    for subject in subjects_of(config, "subjects"):
        keys = keys_of(table, subject)
        carried = table.select([EVENT_TIME, MEASURES, ROW, SHARD])
        if not is_each_row(keys.row, table.num_rows):
            carried = carried.take(pa.array(keys.row))
        rows = len(keys.row)
        other = pa.nulls(rows, pa.string()) if keys.other is None else keys.other
        columns = [
            pa.array(np.full(rows, config.rate_subjects.index(subject))),
            keys.key,
            other,
            pa.array(_entry_numbers(keys.row)),
            *carried.columns,
        ]
        names = [SUBJECT, KEY, OTHER, ENTRY, *carried.column_names]
        yield pa.table(columns, names=names)


def answer_events(
    events: pa.Table, state: pa.Table, config: FeatureConfig
) -> tuple[list[pa.Table], pa.Table]:
    """Counts what came before each event.

    Args:
        events: Of `subject_events`: all of each key.
        state: By `state.rates.rate_state_schema`, of any of these subjects.
        config: The feature configuration.

    Returns:
        Answers for `answered`, one table for each subject, and the next state.
    """
    answers, states = [], [rate_state_schema(config).empty_table()]
    for subject in subjects_of(config, "subjects"):
        number = config.rate_subjects.index(subject)
        mine = events.filter(pc.equal(events[SUBJECT], number)).combine_chunks()
        key, other = to_array(mine[KEY]), to_array(mine[OTHER])
        keys = SubjectKeys(
            np.arange(mine.num_rows), key, other if len(subject.columns) > 1 else None
        )
        times, measures = (mine[n].to_numpy() for n in (EVENT_TIME, MEASURES))
        found, after = _count(keys, times, measures, subject, state, config)
        states.append(after)
        columns = [mine[SUBJECT], mine[ROW], mine[ENTRY], mine[SHARD]]
        names = [SUBJECT, ROW, ENTRY, SHARD, *measure_names(config)]
        if mine.num_rows:
            answers.append(pa.table([*columns, *map(pa.array, found)], names=names))
    return answers, pa.concat_tables(states)


def is_answer(table: pa.Table) -> bool:
    """Whether a table of a shard of users is of `answer_events`."""
    return ENTRY in table.schema.names


def answered(
    table: pa.Table, answers: Iterable[pa.Table], config: FeatureConfig
) -> dict[str, np.ndarray]:
    """The sums of `answer_events`, added up for each impression.

    Args:
        table: A shard's impressions with `ROW`, in any order.
        answers: For these impressions, in any order.
        config: The feature configuration.

    Returns:
        float64 [measures, rows] by subject.
    """
    rows, names = table.num_rows, measure_names(config)
    place_of = to_array(table[ROW]).to_numpy()
    order = np.argsort(place_of)
    ascending = place_of[order]
    parts = list(answers)
    if not parts:
        subjects = subjects_of(config, "subjects")
        return {subject.name: np.zeros((len(names), rows)) for subject in subjects}
    found, given = {}, pa.concat_tables(parts).combine_chunks()
    for number, subject in enumerate(config.rate_subjects):
        if subject.counted_in != "subjects":
            continue
        mine = given.filter(pc.equal(given[SUBJECT], number))
        row = order[np.searchsorted(ascending, mine[ROW].to_numpy())]
        entry = mine[ENTRY].to_numpy()
        by_row = np.argsort(row * (int(entry.max(initial=0)) + 1) + entry)
        sums = np.array([mine[name].to_numpy()[by_row] for name in names])
        found[subject.name] = add_up(sums, row[by_row], rows)
    return found


def _entry_numbers(row: np.ndarray) -> np.ndarray:
    """The number of each key among those of its impression, from 0 [keys]."""
    index = np.arange(len(row))
    first = np.diff(row, prepend=-1) != 0
    return index - np.maximum.accumulate(np.where(first, index, 0))


def _count(
    keys: SubjectKeys,
    time_ms: np.ndarray,
    packed: np.ndarray,
    subject: Subject,
    state: pa.Table,
    config: FeatureConfig,
) -> tuple[np.ndarray, pa.Table]:
    """Sums over what came before each key's event, and the subject's next state."""
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
