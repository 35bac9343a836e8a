"""Statistics against the schema, and against those of an earlier run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from pipeline.config.drift import DriftConfig
from preprocessing.contract.column_names import TIME_COLUMNS

L_INFINITY, JENSEN_SHANNON, MISSING = "l_infinity", "jensen_shannon", "missing"
_MEASURES = {
    anomalies_pb2.DriftSkewInfo.Measurement.L_INFTY: L_INFINITY,
    anomalies_pb2.DriftSkewInfo.Measurement.JENSEN_SHANNON_DIVERGENCE: JENSEN_SHANNON,
}
# A histogram has ten buckets: no two of fewer integers are in one, or at its two ends.
_FEW = 9
_ROUNDING = 1e-6
_Features = Mapping[str, statistics_pb2.FeatureNameStatistics]


@dataclass(frozen=True)
class FeatureDrift:
    """How far a feature has moved.

    Attributes:
        feature: The column.
        measure: `l_infinity`, `jensen_shannon` or `missing`, the growth of the share of
            examples that lack it.
        distance: From 0 to 1.
        threshold: The largest distance that is no anomaly.
    """

    feature: str
    measure: str
    distance: float
    threshold: float

    @property
    def above(self) -> bool:
        """Whether it is an anomaly."""
        return self.distance > self.threshold

    @property
    def badness(self) -> tuple[bool, float]:
        """Orders distances, the worst highest: in thresholds, as measures differ."""
        return self.above, self.distance / max(self.threshold, 1e-9)

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        return {**vars(self), "above": self.above}


def validate(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
    previous: statistics_pb2.DatasetFeatureStatisticsList | None,
    config: DriftConfig,
) -> tuple[anomalies_pb2.Anomalies, list[FeatureDrift]]:
    """Finds anomalies as TFX's ExampleValidator does, and drift.

    A column that only one of the two statistics knows has no distance.

    Args:
        statistics: Of a split.
        schema: What it promises; it is not changed.
        previous: Of the same split of an earlier run; None compares with the schema
            alone.
        config: The distances that are no anomaly.

    Returns:
        The anomalies, of drift also, and all distances.
    """
    if previous is None:
        return tfdv.validate_statistics(statistics, schema), []
    now, before = _features(statistics), _features(previous)
    names = [
        name
        for name in now
        if name in before
        and name not in TIME_COLUMNS
        and config.by_feature.get(name, 0) is not None
    ]
    few = {n for n in names if _has_few(now[n]) and _has_few(before[n])}
    compared = _with_comparators(schema, now, before, names, few, config)
    anomalies = tfdv.validate_statistics(
        _with_categories(statistics, few),
        compared,
        previous_statistics=_with_categories(previous, few),
    )
    missing = _missing(now, before, names, config.max_missing)
    return anomalies, [*_measured(anomalies), *missing]


def _features(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> _Features:
    return {f.path.step[0]: f for f in statistics.datasets[0].features}


def _common(
    feature: statistics_pb2.FeatureNameStatistics,
) -> statistics_pb2.CommonStatistics:
    return getattr(feature, feature.WhichOneof("stats")).common_stats


def _present(feature: statistics_pb2.FeatureNameStatistics) -> float:
    """The share of examples that have the feature."""
    common = _common(feature)
    examples = common.num_non_missing + common.num_missing
    return common.num_non_missing / examples if examples else 0.0


def _has_few(feature: statistics_pb2.FeatureNameStatistics) -> bool:
    """Whether a feature has so few integers that each is a category of its own."""
    values = feature.num_stats
    return (
        feature.type == statistics_pb2.FeatureNameStatistics.INT
        and feature.HasField("num_stats")
        and values.max - values.min < _FEW
    )


def _counts(values: statistics_pb2.NumericStatistics) -> dict[str, float]:
    """How often each of few integers occurs: of 0 and 1 exactly, else about."""
    if values.min >= 0 and values.max <= 1:
        common = values.common_stats
        every = common.tot_num_values or common.num_non_missing
        return {"0": every * (1 - values.mean), "1": every * values.mean}
    kind = statistics_pb2.Histogram.STANDARD
    buckets = next(h.buckets for h in values.histograms if h.type == kind)
    counts: dict[str, float] = {}
    for bucket in buckets:
        value = math.ceil(bucket.low_value - _ROUNDING)
        if value <= bucket.high_value + _ROUNDING:
            counts[str(value)] = counts.get(str(value), 0.0) + bucket.sample_count
    return counts


def _with_comparators(
    schema: schema_pb2.Schema,
    now: _Features,
    before: _Features,
    names: list[str],
    few: set[str],
    config: DriftConfig,
) -> schema_pb2.Schema:
    compared = schema_pb2.Schema()
    compared.CopyFrom(schema)
    for feature in compared.feature:
        if (name := feature.name) not in names:
            continue
        if config.max_missing is not None:
            least = _present(before[name]) - config.max_missing
            if least > feature.presence.min_fraction:
                feature.presence.min_fraction = least
        kinds = {of[name].WhichOneof("stats") for of in (now, before)}
        if not (len(kinds) == 1 and _present(now[name]) and _present(before[name])):
            continue
        numeric = kinds == {"num_stats"} and name not in few
        usual = config.max_numeric if numeric else config.max_categorical
        threshold = config.by_feature.get(name, usual)
        comparator = feature.drift_comparator
        if threshold is None:
            continue
        if numeric:
            # Buckets of equal width depend on the largest value alone: two draws of a
            # long-tailed distribution are as far apart as two different ones.
            comparator.jensen_shannon_divergence.threshold = threshold
            comparator.jensen_shannon_divergence.source.type = (
                schema_pb2.HistogramSelection.QUANTILES
            )
        else:
            comparator.infinity_norm.threshold = threshold
    return compared


def _with_categories(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, few: set[str]
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The same, but few integers are categories: of numbers there is no L-infinity."""
    copied = statistics_pb2.DatasetFeatureStatisticsList()
    copied.CopyFrom(statistics)
    for name, feature in _features(copied).items():
        if name not in few:
            continue
        counts = _counts(feature.num_stats)
        texts = statistics_pb2.StringStatistics(
            common_stats=_common(feature), unique=len(counts)
        )
        for label, count in sorted(counts.items(), key=lambda c: c[1], reverse=True):
            texts.rank_histogram.buckets.add(label=label, sample_count=count)
        feature.string_stats.CopyFrom(texts)
    return copied


def _measured(anomalies: anomalies_pb2.Anomalies) -> Iterator[FeatureDrift]:
    for info in anomalies.drift_skew_info:
        for found in info.drift_measurements:
            measure = _MEASURES[found.type]
            yield FeatureDrift(info.path.step[0], measure, found.value, found.threshold)


def _missing(
    now: _Features, before: _Features, names: list[str], threshold: float | None
) -> Iterator[FeatureDrift]:
    if threshold is None:
        return
    for name in names:
        growth = _present(before[name]) - _present(now[name])
        yield FeatureDrift(name, MISSING, max(growth, 0.0), threshold)
