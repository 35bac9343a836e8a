"""Rates of earlier impressions by definition, row against row: slow and obvious."""

import datetime
import zoneinfo
from fractions import Fraction

import numpy as np

from preprocessing.contract.config import FeatureConfig
from preprocessing.features.labels import add_labels
from tests.helpers.log_rows import Row, log_table


def slow_rates(log: list[Row], config: FeatureConfig) -> list[Row]:
    """Counts and rates of each of a log's rows, which must be distinct, in order."""
    labels = _labels(log, config)
    days = [_day(row["event_time_ms"], config) for row in log]
    return [_rates_of(i, log, labels, days, config) for i in range(len(log))]


def _rates_of(i, log, labels, days, config):
    found = {}
    for subject in config.rate_subjects:
        for label in config.rate_labels:
            count, positive = 0, 0
            for j, earlier in enumerate(log):
                if not _is_earlier(log, days, i, j, subject.clock):
                    continue
                if labels[label][j] is None:
                    continue
                weight = 1
                if subject.half_life_days:
                    weight = 0.5 ** ((days[i] - days[j]) / subject.half_life_days)
                shared = _keys(log[i], subject.columns) & _keys(
                    earlier, subject.columns
                )
                count += weight * len(shared)
                positive += weight * len(shared) * labels[label][j]
            strength = config.rates.strength
            prior = _prior(i, labels[label], days, config)
            rate = (positive + strength * prior) / (count + strength)
            found[f"{subject.name}_{label}_count"] = count
            found[f"{subject.name}_{label}_rate"] = float(np.float32(rate))
    return found


def _is_earlier(log, days, i, j, clock):
    if clock == "day":
        return days[j] < days[i]
    return log[j]["event_time_ms"] < log[i]["event_time_ms"]


def _prior(i, labels, days, config):
    known = [
        label
        for label, day in zip(labels, days, strict=True)
        if day < days[i] and label is not None
    ]
    if not known:
        return config.rates.prior
    return float(Fraction(sum(known), len(known)))


def _keys(row, columns):
    """The keys of a row; none where a part of the key is not known."""
    keys = {()}
    for name in columns:
        value = row.get(name)
        values = set(value or []) if isinstance(value, list | None) else {value}
        keys = {(*key, value) for key in keys for value in values}
    return keys


def _labels(log, config):
    table = add_labels(log_table(log, config), config)
    return {name: table[name].to_pylist() for name in config.rate_labels}


def _day(time_ms, config):
    if config.time_zone is None:
        return (
            time_ms + round((config.utc_offset_hours or 0) * 3_600_000)
        ) // 86_400_000
    zone = zoneinfo.ZoneInfo(config.time_zone)
    time = datetime.datetime.fromtimestamp(time_ms / 1000, zone)
    return time.date().toordinal() - datetime.date(1970, 1, 1).toordinal()
