import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
import tensorflow_transform as tft
from tensorflow_data_validation.statistics.stats_impl import (
    generate_statistics_in_memory,
)
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from pipeline.examples.schema import SERVING, TRAINING, example_schema, serving_columns
from preprocessing.contract.column_names import USER_GROUPS
from preprocessing.features.columns import feature_schema
from tests.helpers.small_transform import (
    SETTINGS,
    analyzed_rows,
    feature_row,
    settings_with,
)

REQUIRED = {
    "user_id",
    "video_id",
    "event_time_ms",
    "play_time_ms",
    "video_duration_ms",
    "is_like",
    "avc",
    "active_days_7",
    "is_new_user",
    "user_group",
    "video_impressions",
    "is_new_video",
    "long_view",
    "like",
}
LISTS = {
    "video_tags",
    "topics",
    "history_video_ids",
    "history_author_ids",
    "history_tags",
    "history_gap_ms",
}


@pytest.fixture(scope="module")
def config():
    return settings_with()


@pytest.fixture(scope="module")
def schema(config):
    return example_schema(config)


@pytest.fixture(scope="module")
def features(schema):
    return {feature.name: feature for feature in schema.feature}


def test_it_has_the_feature_tables_columns_in_order(schema, config):
    names = [feature.name for feature in schema.feature]
    assert names == feature_schema(config.features).names


def test_required_columns_have_one_value_in_every_example(features):
    required = {n for n, f in features.items() if f.presence.min_fraction == 1}
    assert required == REQUIRED
    for name in required:
        assert features[name].HasField("shape")
        assert not features[name].HasField("value_count")


def test_nullable_columns_have_one_value_or_none(features):
    for name in set(features) - REQUIRED - LISTS:
        count = features[name].value_count
        assert (count.min, count.max) == (0, 1), name
        assert not features[name].HasField("presence")


def test_lists_have_any_number_of_values(features):
    for name in LISTS:
        assert features[name].HasField("value_count")
        assert not features[name].value_count.HasField("max")
        assert not features[name].HasField("presence")


def test_types(features):
    kinds = {"user_id": "BYTES", "avc": "INT", "video_age_hours": "FLOAT"}
    kinds |= {"history_gap_ms": "INT", "history_tags": "BYTES", "loudness": "FLOAT"}
    kinds |= {"country": "BYTES", "topics": "BYTES", "long_view": "INT"}
    for name, kind in kinds.items():
        assert features[name].type == schema_pb2.FeatureType.Value(kind), name


def test_only_what_scoring_needs_is_expected_in_serving(schema, features, config):
    assert list(schema.default_environment) == [TRAINING, SERVING]
    served = {n for n, f in features.items() if not f.not_in_environment}
    assert served == set(serving_columns(config))
    assert {"user_id", "avc", "battery", "history_gap_ms"} <= served
    assert not served & {"long_view", "is_like", "user_group", "event_time_ms"}
    for name in set(features) - served:
        assert list(features[name].not_in_environment) == [SERVING]


def test_a_column_that_is_carried_along_is_not_expected_in_serving():
    worth = {"name": "worth", "entity": "context", "type": "numeric", "input": False}
    config = settings_with(features={**SETTINGS["features"], "extra": [worth]})
    [feature] = [f for f in example_schema(config).feature if f.name == "worth"]
    assert list(feature.not_in_environment) == [SERVING]
    assert "worth" not in serving_columns(config)


def test_transform_reads_ragged_and_fixed_columns(schema):
    spec = tft.tf_metadata.schema_utils.schema_as_feature_spec(schema).feature_spec
    for name, parsing in spec.items():
        kind = tf.io.FixedLenFeature if name in REQUIRED else tf.io.RaggedFeature
        assert isinstance(parsing, kind), name


def anomalies(config, examples, environment=TRAINING):
    """What ExampleValidator finds in serialized examples: columns, by description."""
    schema = example_schema(config)
    decoder = ExamplesToRecordBatchDecoder()
    statistics = generate_statistics_in_memory(
        decoder.DecodeBatch(examples), tfdv.StatsOptions(schema=schema)
    )
    found = tfdv.validate_statistics(statistics, schema, environment=environment)
    return {name: info.description for name, info in found.anomaly_info.items()}


def test_the_feature_engines_rows_hold_to_it(config, small_transform):
    assert anomalies(config, small_transform.examples(analyzed_rows())) == {}


def test_rows_in_which_all_that_may_be_missing_is_missing_hold_to_it(
    config, small_transform
):
    examples = []
    for serialized in small_transform.examples([feature_row(user_group="new")] * 3):
        example = tf.train.Example.FromString(serialized)
        # As on a day on which no example has the column: it is not there at all.
        for name in set(example.features.feature) - REQUIRED:
            del example.features.feature[name]
        examples.append(example.SerializeToString())
    assert anomalies(config, examples) == {}


@pytest.mark.parametrize(
    ("changed", "column"),
    [({"user_group": "vip"}, "user_group"), ({"long_view": 2}, "long_view")],
)
def test_a_value_outside_of_its_domain_is_an_anomaly(
    config, small_transform, changed, column
):
    rows = [*analyzed_rows(), feature_row(**changed)]
    assert set(anomalies(config, small_transform.examples(rows))) == {column}


def test_groups_are_those_of_the_feature_engine(features):
    assert tuple(features["user_group"].string_domain.value) == USER_GROUPS


def test_a_missing_required_column_is_an_anomaly_where_it_is_expected(
    config, small_transform
):
    for column, environments in (("avc", (TRAINING, SERVING)), ("like", (TRAINING,))):
        examples = []
        for serialized in small_transform.examples(analyzed_rows()):
            example = tf.train.Example.FromString(serialized)
            del example.features.feature[column]
            examples.append(example.SerializeToString())
        for environment in (TRAINING, SERVING):
            found = anomalies(config, examples, environment)
            # What only training needs is an unknown column in serving.
            assert (column in found) == (environment in environments)
