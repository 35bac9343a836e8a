"""Statistics against the schema, and against those of an earlier run."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from pipeline.config.drift import Thresholds
from pipeline.examples.distances import (
    MISSING,
    PREVIOUS,
    Comparison,
    FeatureDrift,
    Statistics,
    features_of,
    measured,
    present_share,
    with_categories,
)


def validate(
    statistics: Statistics,
    schema: schema_pb2.Schema,
    previous: Statistics | None,
    thresholds: Thresholds,
) -> tuple[anomalies_pb2.Anomalies, list[FeatureDrift]]:
    """Finds anomalies as TFX's ExampleValidator does, and drift.

    A column that only one of the two statistics knows has no distance.

    Args:
        statistics: Of a split.
        schema: What it promises; it is not changed.
        previous: Of the same split of an earlier run; None compares with the schema
            alone.
        thresholds: The distances that are no anomaly.

    Returns:
        The anomalies, of drift also, and all distances.
    """
    if previous is None:
        return tfdv.validate_statistics(statistics, schema), []
    pair = Comparison(features_of(statistics), features_of(previous), thresholds)
    compared = schema_pb2.Schema()
    compared.CopyFrom(schema)
    pair.set_comparators(compared, "drift_comparator")
    _demand_presence(compared, pair)
    anomalies = tfdv.validate_statistics(
        with_categories(statistics, pair.few),
        compared,
        previous_statistics=with_categories(previous, pair.few),
    )
    return anomalies, [*measured(anomalies, PREVIOUS), *_missing(pair)]


def _demand_presence(schema: schema_pb2.Schema, pair: Comparison) -> None:
    names, most = pair.names, pair.thresholds.max_missing
    for feature in schema.feature:
        if most is None or feature.name not in names:
            continue
        least = present_share(pair.then[feature.name]) - most
        if least > feature.presence.min_fraction:
            feature.presence.min_fraction = least


def _missing(pair: Comparison) -> Iterator[FeatureDrift]:
    threshold = pair.thresholds.max_missing
    if threshold is None:
        return
    for name in pair.names:
        growth = present_share(pair.then[name]) - present_share(pair.now[name])
        yield FeatureDrift(name, MISSING, max(growth, 0.0), threshold)
