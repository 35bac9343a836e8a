"""Statistics of examples against those of what a model is asked in serving."""

from __future__ import annotations

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from pipeline.config.drift import Thresholds
from pipeline.examples.distances import (
    MISSING,
    SERVING,
    Comparison,
    FeatureDrift,
    Statistics,
    features_of,
    measured,
    present_share,
    with_categories,
)

_RARELY_THERE = anomalies_pb2.AnomalyInfo.FEATURE_TYPE_LOW_FRACTION_PRESENT


def skew(
    statistics: Statistics,
    schema: schema_pb2.Schema,
    serving: Statistics,
    thresholds: Thresholds,
) -> tuple[anomalies_pb2.Anomalies, list[FeatureDrift]]:
    """Finds where examples and logged requests differ, by TFDV's skew comparators.

    A column that only one of the two statistics knows has no distance.

    Args:
        statistics: Of examples.
        schema: Names the columns; nothing else of it is held against them.
        serving: Of logged requests.
        thresholds: The distances that are no anomaly.

    Returns:
        The anomalies, of skew alone, and all distances.
    """
    pair = Comparison(features_of(statistics), features_of(serving), thresholds)
    names_alone = schema_pb2.Schema()
    for feature in schema.feature:
        names_alone.feature.add(name=feature.name, type=feature.type)
    pair.set_comparators(names_alone, "skew_comparator")
    anomalies = tfdv.validate_statistics(
        with_categories(statistics, pair.few),
        names_alone,
        serving_statistics=with_categories(serving, pair.few),
    )
    moved = list(measured(anomalies, SERVING))
    if thresholds.max_missing is not None:
        for name in pair.names:
            moved.append(_missing(pair, name, thresholds.max_missing, anomalies))
    return anomalies, moved


def add_anomalies(
    found: anomalies_pb2.Anomalies, further: anomalies_pb2.Anomalies
) -> None:
    """Adds anomalies to others of the same statistics.

    Args:
        found: Is changed.
        further: Is not.
    """
    for name, anomaly in further.anomaly_info.items():
        known = found.anomaly_info[name]
        if not known.reason:
            known.CopyFrom(anomaly)
            continue
        known.description += f" {anomaly.description}"
        known.short_description = "Multiple errors"
        known.severity = max(known.severity, anomaly.severity)
        known.reason.extend(anomaly.reason)
    found.drift_skew_info.extend(further.drift_skew_info)


def _missing(
    pair: Comparison,
    name: str,
    threshold: float,
    anomalies: anomalies_pb2.Anomalies,
) -> FeatureDrift:
    """Either way: TFDV's own comparison sees only what the examples lack."""
    lacking = [1 - present_share(of[name]) for of in (pair.now, pair.then)]
    distance = abs(lacking[0] - lacking[1])
    moved = FeatureDrift(name, MISSING, distance, threshold, SERVING)
    if moved.above:
        short = "Column is missing in training or in serving"
        text = (
            f"The column is missing in {lacking[0]:.1%} of the examples and in "
            f"{lacking[1]:.1%} of what is asked in serving: a difference of "
            f"{distance:.6g}, above the threshold {threshold:.6g}."
        )
        anomaly = anomalies_pb2.AnomalyInfo(
            severity=anomalies_pb2.AnomalyInfo.ERROR,
            description=text,
            short_description=short,
        )
        anomaly.path.step.append(name)
        anomaly.reason.add(
            type=_RARELY_THERE, description=text, short_description=short
        )
        further = anomalies_pb2.Anomalies()
        further.anomaly_info[name].CopyFrom(anomaly)
        add_anomalies(anomalies, further)
    return moved
