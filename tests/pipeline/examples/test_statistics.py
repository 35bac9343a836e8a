import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import (
    generate_statistics_in_memory,
)
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from pipeline.examples import statistics
from pipeline.examples.example_files import sample_examples
from pipeline.examples.schema import TRAINING, example_schema
from pipeline.examples.statistics import LEFT_OUT, split_statistics
from preprocessing.features.columns import feature_schema
from tests.helpers.small_transform import (
    analyzed_rows,
    feature_row,
    settings_with,
    write_examples,
)


@pytest.fixture(scope="module")
def columns():
    return feature_schema(settings_with().features)


def described(found):
    """The described features, by name."""
    [dataset] = found.proto.datasets
    return {feature.path.step[0]: feature for feature in dataset.features}


def has_values(feature):
    """Columns without any are described or not, depending on TFX's decoder."""
    kind = feature.WhichOneof("stats")
    return getattr(feature, kind).common_stats.num_non_missing > 0


def anomalies(of):
    schema = example_schema(settings_with())
    found = tfdv.validate_statistics(of.proto, schema, environment=TRAINING)
    return {name: info.description for name, info in found.anomaly_info.items()}


def written(small_transform, rows, folder):
    write_examples(small_transform.examples(rows), folder / "split")
    return str(folder / "split")


def test_of_all_examples_they_are_those_of_tfx(columns, small_transform, tmp_path):
    """But for histories, and for a list that is empty: it counts as missing."""
    rows = [row for row in analyzed_rows() if row.get("video_tags")]
    rows = [row for row in rows if row.get("topics")]
    split = written(small_transform, rows, tmp_path)
    examples = sample_examples(split, 100, statistics._SEED)  # sums keep their order
    batch = ExamplesToRecordBatchDecoder().DecodeBatch(examples)
    expected = generate_statistics_in_memory(batch)
    [dataset] = expected.datasets
    kept = [f for f in dataset.features if f.path.step[0] not in LEFT_OUT]
    assert len(kept) == len(dataset.features) - 4 > 10
    kept = [feature for feature in kept if has_values(feature)]
    found = split_statistics(split, columns, 100)
    own = described(found)
    filled = {name for name, feature in own.items() if has_values(feature)}
    assert filled == {feature.path.step[0] for feature in kept}
    for feature in kept:
        assert own[feature.path.step[0]].type == feature.type
        for kind in ("num_stats", "string_stats"):
            assert getattr(own[feature.path.step[0]], kind) == getattr(feature, kind)
    assert found.proto.datasets[0].num_examples == dataset.num_examples == len(rows)
    assert found.described == found.examples == len(rows)


def test_a_sample_says_of_how_many_it_is(columns, small_transform):
    found = split_statistics(small_transform.split_dir, columns, 10)
    assert (found.described, found.examples) == (10, len(analyzed_rows()))
    assert found.proto.datasets[0].num_examples == 10
    again = split_statistics(small_transform.split_dir, columns, 10)
    assert again == found


def test_a_sample_is_spread_over_the_whole_split(columns, small_transform, tmp_path):
    rows = [feature_row(avc=place) for place in range(4000)]
    split = written(small_transform, rows, tmp_path)
    avc = described(split_statistics(split, columns, 1000))["avc"].num_stats
    deviation = 4000 / 12**0.5 / 1000**0.5
    assert abs(avc.mean - 2000) < 5 * deviation
    assert avc.max > 3900
    assert avc.min < 100


def test_columns_that_are_left_out_are_no_anomaly(columns, small_transform):
    found = split_statistics(small_transform.split_dir, columns, 100)
    assert not described(found).keys() & set(LEFT_OUT)
    assert anomalies(found) == {}


def test_what_may_be_missing_and_always_is_is_no_anomaly(
    columns, small_transform, tmp_path
):
    split = written(small_transform, [feature_row(user_group="new")] * 3, tmp_path)
    found = split_statistics(split, columns, 100)
    assert described(found)["country"].string_stats.common_stats.num_missing == 3
    assert anomalies(found) == {}


@pytest.mark.parametrize("column", ["avc", "like", "user_id"])
def test_a_missing_required_column_is_an_anomaly(
    column, columns, small_transform, tmp_path
):
    examples = []
    for serialized in small_transform.examples(analyzed_rows()):
        example = tf.train.Example.FromString(serialized)
        del example.features.feature[column]
        examples.append(example.SerializeToString())
    write_examples(examples, tmp_path / "split")
    found = split_statistics(str(tmp_path / "split"), columns, 100)
    assert column in anomalies(found)


def test_a_value_outside_of_a_domain_is_an_anomaly(columns, small_transform, tmp_path):
    rows = [*analyzed_rows(), feature_row(user_group="vip")]
    found = split_statistics(written(small_transform, rows, tmp_path), columns, 100)
    assert set(anomalies(found)) == {"user_group"}


def test_the_proto_is_read_by_tfdv(columns, small_transform, tmp_path):
    found = split_statistics(small_transform.split_dir, columns, 100)
    (tmp_path / "FeatureStats.pb").write_bytes(found.proto.SerializeToString())
    loaded = tfdv.load_stats_binary(str(tmp_path / "FeatureStats.pb"))
    assert isinstance(loaded, statistics_pb2.DatasetFeatureStatisticsList)
    assert loaded == found.proto
