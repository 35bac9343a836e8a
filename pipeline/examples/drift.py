"""Statistics against the schema, and against those of an earlier run."""

from __future__ import annotations

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
    flags = {name for name in names if _is_flag(now[name]) and _is_flag(before[name])}
    compared = _with_comparators(schema, now, before, names, flags, config)
    anomalies = tfdv.validate_statistics(
        _with_categories(statistics, flags),
        compared,
        previous_statistics=_with_categories(previous, flags),
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


def _is_flag(feature: statistics_pb2.FeatureNameStatistics) -> bool:
    """Whether a feature is 0 or 1, so that its mean says all of it."""
    values = feature.num_stats
    return (
        feature.type == statistics_pb2.FeatureNameStatistics.INT
        and feature.HasField("num_stats")
        and values.min >= 0
        and values.max <= 1
    )


def _with_comparators(
    schema: schema_pb2.Schema,
    now: _Features,
    before: _Features,
    names: list[str],
    flags: set[str],
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
        numeric = kinds == {"num_stats"} and name not in flags
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
    statistics: statistics_pb2.DatasetFeatureStatisticsList, flags: set[str]
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The same, but flags are two categories: of numbers no L-infinity is computed."""
    copied = statistics_pb2.DatasetFeatureStatisticsList()
    copied.CopyFrom(statistics)
    for name, feature in _features(copied).items():
        if name not in flags:
            continue
        common = _common(feature)
        values = common.tot_num_values or common.num_non_missing
        ones = feature.num_stats.mean * values
        counts = sorted({"0": values - ones, "1": ones}.items(), key=lambda c: -c[1])
        texts = statistics_pb2.StringStatistics(common_stats=common, unique=2)
        for label, count in counts:
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
