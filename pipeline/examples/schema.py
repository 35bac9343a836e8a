"""The examples' schema, from the feature contract rather than from the data.

An inferred schema loses a column that is null all day, and finds no anomaly in the data
it was inferred from. This one is what the configuration promises; ExampleValidator
holds each day's statistics against it.
"""

from __future__ import annotations

import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.config import InputConfig
from preprocessing.contract.column_names import USER_GROUPS
from preprocessing.datasets.feature_types import feature_type
from preprocessing.features.columns import feature_schema
from preprocessing.transform.input_specs import input_columns

TRAINING, SERVING = "TRAINING", "SERVING"
_TYPES = {
    "int64": schema_pb2.INT,
    "float32": schema_pb2.FLOAT,
    "string": schema_pb2.BYTES,
}


def example_schema(config: InputConfig) -> schema_pb2.Schema:
    """The schema of the examples that `ImpressionExampleGen` writes."""
    schema = schema_pb2.Schema(
        default_environment=[TRAINING, SERVING],
        represent_variable_length_as_ragged=True,
    )
    served = set(serving_columns(config))
    for field in feature_schema(config.features):
        feature = schema.feature.add(name=field.name)
        _describe(feature, field)
        if field.name not in served:
            feature.not_in_environment.append(SERVING)
        if field.name == "user_group":
            feature.string_domain.value.extend(USER_GROUPS)
        if field.name in config.features.labels:
            feature.int_domain.min, feature.int_domain.max = 0, 1
    return schema


def serving_columns(config: InputConfig) -> tuple[str, ...]:
    """The raw columns that scoring needs: the model's inputs before the Transform."""
    return input_columns(config.features, config.transform)


def _describe(feature: schema_pb2.Feature, field: pa.Field) -> None:
    listed = pa.types.is_list(field.type)
    feature.type = _TYPES[feature_type(field.type)]
    if listed or field.nullable:
        feature.value_count.min = 0
        if not listed:
            feature.value_count.max = 1
    else:
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
        feature.shape.SetInParent()
