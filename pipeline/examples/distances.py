"""How far a feature is from another day's, or from serving's: what is compared how."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from pipeline.config.drift import Thresholds
from preprocessing.contract.column_names import TIME_COLUMNS

L_INFINITY, JENSEN_SHANNON, MISSING = "l_infinity", "jensen_shannon", "missing"
PREVIOUS, SERVING = "previous", "serving"
_MEASURES = {
    anomalies_pb2.DriftSkewInfo.Measurement.L_INFTY: L_INFINITY,
    anomalies_pb2.DriftSkewInfo.Measurement.JENSEN_SHANNON_DIVERGENCE: JENSEN_SHANNON,
}
# A histogram has ten buckets: no two of fewer integers are in one, or at its two ends.
_FEW = 9
_ROUNDING = 1e-6

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
Features = Mapping[str, statistics_pb2.FeatureNameStatistics]
Comparator = Literal["drift_comparator", "skew_comparator"]


@dataclass(frozen=True)
class FeatureDrift:
    """How far a feature is from what it was compared with.

    Attributes:
        feature: The column.
        measure: `l_infinity`, `jensen_shannon` or `missing`: of the share of examples
            that lack it the growth since the previous run, or the difference to
            serving.
        distance: From 0 to 1.
        threshold: The largest distance that is no anomaly.
        compared_with: `previous`, the same split of an earlier run, or `serving`, the
            logged requests.
    """

    feature: str
    measure: str
    distance: float
    threshold: float
    compared_with: str = PREVIOUS

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


def features_of(statistics: Statistics) -> Features:
    """The statistics of each feature, by its name."""
    return {f.path.step[0]: f for f in statistics.datasets[0].features}


def present_share(feature: statistics_pb2.FeatureNameStatistics) -> float:
    """The share of examples that have the feature."""
    common = _common(feature)
    examples = common.num_non_missing + common.num_missing
    return common.num_non_missing / examples if examples else 0.0


@dataclass(frozen=True)
class Comparison:
    """Two statistics of the same features.

    Attributes:
        now: What is judged, by feature.
        then: What it is compared with, by feature.
        thresholds: The distances that are no anomaly.
    """

    now: Features
    then: Features
    thresholds: Thresholds

    @property
    def names(self) -> list[str]:
        """The features that both have and that are compared."""
        return [
            name
            for name in self.now
            if name in self.then
            and name not in TIME_COLUMNS
            and self.thresholds.by_feature.get(name, 0) is not None
        ]

    @property
    def few(self) -> set[str]:
        """Those of few integers on both sides, each of which is a category."""
        now, then = self.now, self.then
        return {n for n in self.names if _has_few(now[n]) and _has_few(then[n])}

    def set_comparators(self, schema: schema_pb2.Schema, kind: Comparator) -> None:
        """Sets a schema's comparators: by L-infinity, or Jensen-Shannon of numbers.

        Args:
            schema: Its features are changed.
            kind: Which of their comparators.
        """
        names, few = self.names, self.few
        for feature in schema.feature:
            if (name := feature.name) not in names:
                continue
            both = (self.now[name], self.then[name])
            kinds = {of.WhichOneof("stats") for of in both}
            if len(kinds) > 1 or not all(map(present_share, both)):
                continue
            numeric = kinds == {"num_stats"} and name not in few
            usual = self.thresholds.max_numeric
            if not numeric:
                usual = self.thresholds.max_categorical
            threshold = self.thresholds.by_feature.get(name, usual)
            comparator = getattr(feature, kind)
            if threshold is None:
                continue
            if numeric:
                # Buckets of equal width depend on the largest value alone: two draws of
                # a long-tailed distribution are as far apart as two different ones.
                comparator.jensen_shannon_divergence.threshold = threshold
                comparator.jensen_shannon_divergence.source.type = (
                    schema_pb2.HistogramSelection.QUANTILES
                )
            else:
                comparator.infinity_norm.threshold = threshold


def with_categories(statistics: Statistics, few: set[str]) -> Statistics:
    """The same, but few integers are categories: of numbers there is no L-infinity."""
    copied = statistics_pb2.DatasetFeatureStatisticsList()
    copied.CopyFrom(statistics)
    for name, feature in features_of(copied).items():
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


def measured(
    anomalies: anomalies_pb2.Anomalies, compared_with: str
) -> Iterator[FeatureDrift]:
    """The distances that TFDV has found.

    Args:
        anomalies: Of a validation by comparators of one kind.
        compared_with: `previous` or `serving`.
    """
    for info in anomalies.drift_skew_info:
        for found in (*info.drift_measurements, *info.skew_measurements):
            yield FeatureDrift(
                info.path.step[0],
                _MEASURES[found.type],
                found.value,
                found.threshold,
                compared_with,
            )


def _common(
    feature: statistics_pb2.FeatureNameStatistics,
) -> statistics_pb2.CommonStatistics:
    return getattr(feature, feature.WhichOneof("stats")).common_stats


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
