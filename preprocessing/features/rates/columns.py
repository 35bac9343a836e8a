"""Counts become columns: how many impressions came before, and the label's rate.

rate = (positive + strength * prior) / (known + strength), where `prior` is the rate of
all earlier days' impressions, and `known` counts the key's earlier impressions whose
label is known: the empirical Bayes estimate under a beta distribution with that mean.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import RatesConfig, count_column, rate_column
from preprocessing.state.rates import (
    IMPRESSIONS,
    known_measure,
    measure_names,
    positive_measure,
)


def rate_fields(config: FeatureConfig) -> list[pa.Field]:
    """The fields of `config.rate_columns`, in this order."""
    fields = []
    for subject in config.rate_subjects:
        whole = subject.half_life_days is None
        for label in config.rate_labels:
            count = pa.int64() if whole else pa.float32()
            name = count_column(subject.name, label)
            fields.append(pa.field(name, count, nullable=False))
            name = rate_column(subject.name, label)
            fields.append(pa.field(name, pa.float32(), nullable=False))
    return fields


def append_rates(
    table: pa.Table,
    counts: Mapping[str, np.ndarray],
    overall: np.ndarray,
    config: FeatureConfig,
) -> pa.Table:
    """Adds the columns of rates and counts.

    Args:
        table: Impressions.
        counts: Sums over the earlier impressions of each subject, by its name,
            float64 [measures, rows].
        overall: Those of the whole log, float64 [measures, rows].
        config: The feature configuration.
    """
    if config.rates is None:
        return table
    priors = {
        label: _prior(overall, label, config.rates, config)
        for label in config.rate_labels
    }
    fields = iter(rate_fields(config))
    for subject in config.rate_subjects:
        sums = counts[subject.name]
        for label, prior in priors.items():
            known, positive = _sums_of(sums, label, config)
            strength = config.rates.strength
            rate = (positive + strength * prior) / (known + strength)
            for values in (known, rate):
                field = next(fields)
                column = pa.array(values.astype(field.type.to_pandas_dtype()))
                table = table.append_column(field, column)
    return table


def _prior(
    overall: np.ndarray, label: str, rates: RatesConfig, config: FeatureConfig
) -> np.ndarray:
    """The whole log's rate of a label, float64 [rows]."""
    known, positive = _sums_of(overall, label, config)
    start = np.full(len(known), rates.prior)
    return np.divide(positive, known, out=start, where=known > 0)


def _sums_of(
    sums: np.ndarray, label: str, config: FeatureConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Impressions whose label is known, and those where it is 1; [rows] each."""
    place = {name: number for number, name in enumerate(measure_names(config))}
    known = place.get(known_measure(label), place[IMPRESSIONS])
    return sums[known], sums[place[positive_measure(label)]]
