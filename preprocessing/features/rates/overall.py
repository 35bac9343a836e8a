"""The whole log's rates, towards which those of a key are smoothed.

They, too, are known at their time: those of a day are of all impressions of earlier
days, in log and state. A day of the log is one event here, so that shards of videos
count their own rows of each day, and the sums are added up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.days import begun_day
from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.rates.counting import KeyEvents, count_before
from preprocessing.features.rates.measures import MEASURES, unpacked
from preprocessing.features.rates.passes import state_table, sums_of
from preprocessing.state.rates import DAY, EVERYTHING, measure_names


class Overall(NamedTuple):
    """What came before each day of a log, over all impressions.

    Attributes:
        days: The log's days, ascending, int64 [days].
        sums: Sums over all earlier impressions, float64 [measures, days].
        state: The next state, by `state.rates.rate_state_schema`: a row, or none.
    """

    days: np.ndarray
    sums: np.ndarray
    state: pa.Table

    def before(self, days: np.ndarray) -> np.ndarray:
        """The sums before each of some of the log's days, float64 [measures, rows]."""
        return self.sums[:, np.searchsorted(self.days, days)]


def day_totals(table: pa.Table, config: FeatureConfig) -> pa.Table:
    """Sums of impressions by day: `day` and a column for each measure, int64.

    Args:
        table: Some of a log's impressions, with `MEASURES`.
        config: Gives calendar and labels.
    """
    names = measure_names(config)
    days, which = np.unique(_days(table, config), return_inverse=True)
    measures = unpacked(to_array(table[MEASURES]).to_numpy(), len(names))
    sums = [
        np.bincount(which, values, len(days)).astype(np.int64) for values in measures
    ]
    return pa.table([days, *sums], names=[DAY, *names])


def add_totals(parts: Iterable[pa.Table], config: FeatureConfig) -> pa.Table:
    """Adds up what `day_totals` counted of parts of a log."""
    names = measure_names(config)
    empty = pa.schema([(name, pa.int64()) for name in (DAY, *names)]).empty_table()
    table = pa.concat_tables([empty, *parts])
    days, which = np.unique(table[DAY].to_numpy(), return_inverse=True)
    sums = [np.zeros(len(days), dtype=np.int64) for _ in names]
    for name, total in zip(names, sums, strict=True):
        np.add.at(total, which, table[name].to_numpy())
    return pa.table([days, *sums], names=[DAY, *names])


def overall_before(totals: pa.Table, state: pa.Table, config: FeatureConfig) -> Overall:
    """What came before each of a log's days.

    Args:
        totals: Of `add_totals`, of the whole log.
        state: The row of `EVERYTHING` before it, by `state.rates.rate_state_schema`;
            or no row.
        config: The feature configuration.
    """
    names = measure_names(config)
    day = totals[DAY].to_numpy()
    zeros = np.zeros(len(day), dtype=np.int64)
    measures = np.array([totals[name].to_numpy() for name in names])
    events = KeyEvents(zeros, zeros + np.arange(len(day)), day, measures)
    known = sums_of(state, np.zeros(state.num_rows, dtype=np.int64), names)
    sums, after = count_before(events, known, by_moment=False, half_life_days=None)
    keys = len(after.key)
    texts = pa.array([""] * keys, pa.string()), pa.nulls(keys, pa.string())
    return Overall(day, sums, state_table(after, EVERYTHING, texts, config))


def rows_before(table: pa.Table, overall: Overall, config: FeatureConfig) -> np.ndarray:
    """The whole log's sums before each impression's day, float64 [measures, rows]."""
    return overall.before(_days(table, config))


def _days(table: pa.Table, config: FeatureConfig) -> np.ndarray:
    return begun_day(to_array(table[EVENT_TIME]).to_numpy(), config.calendar)
