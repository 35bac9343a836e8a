"""The pass over subjects that are no users or videos, such as authors and tags.

It lies between those over videos and users. `subject_events` are sent to it, divided by
key, and nothing but keys, times and measures; `answer_events` sends back what came
before each, to the shard of its user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.rates.measures import MEASURES
from preprocessing.features.rates.passes import add_up, count_keys, subjects_of
from preprocessing.features.rates.subjects import SubjectKeys, is_each_row, keys_of
from preprocessing.state.rates import (
    KEY,
    OTHER,
    SUBJECT,
    measure_names,
    rate_state_schema,
)

# Of an impression and its events: where it is among its user's shard's, which entry of
# its list an event is of, and the number of the shard.
ROW, ENTRY, SHARD = "__row", "__entry", "__shard"


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
        found, after = count_keys(keys, times, measures, subject, state, config)
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
