"""The graph that this machine writes is that of TensorFlow Transform in Beam."""

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_transform as tft

from pipeline.examples.schema import example_schema
from pipeline.transform.transform_graph import write_transform_graph
from preprocessing.transform.graph import counted_columns, transform_custom_config
from tests.helpers.rated_rows import rated_row, rated_rows
from tests.helpers.small_transform import (
    SETTINGS,
    SmallTransform,
    analyzed_rows,
    feature_row,
    settings_with,
    transform_rows,
    write_examples,
)

OTHERS = [
    feature_row(),
    feature_row(user_id="once", video_id="new", author_id="a2", topics=["y", "new"]),
    feature_row(country="CN", loudness=1e9, battery=float("nan"), avc=25),
    feature_row(history_video_ids=["v1", "new"], history_gap_ms=[1, 2]),
]


def custom_config_of(config):
    return transform_custom_config(
        config.features, config.transform, config.training.sample_weights.column
    )


def written(config, folder, split_dir, pipeline=None, earlier=None):
    write_transform_graph(
        str(folder / "graph"),
        split_dir,
        example_schema(config),
        custom_config_of(config),
        pipeline,
        earlier,
    )
    return SmallTransform(config, folder)


def assert_same(one, other, rows):
    tensors, expected = one.apply(*rows), other.apply(*rows)
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        assert tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(tensors[name], tensor, name)


def assert_same_vocabularies(one, other):
    tables = counted_columns(custom_config_of(one.config))
    for table in tables:
        for of in ("vocabulary_by_name", "vocabulary_size_by_name"):
            assert getattr(one.output, of)(table) == getattr(other.output, of)(table)


def test_it_is_the_graph_of_tensorflow_transform(small_transform, tmp_path):
    own = written(
        small_transform.config, tmp_path, small_transform.split_dir, beam.Pipeline()
    )
    assert_same_vocabularies(own, small_transform)
    assert_same(own, small_transform, [*analyzed_rows(), *OTHERS])
    output, expected = own.output, small_transform.output
    assert output.transformed_feature_spec() == expected.transformed_feature_spec()
    assert output.raw_metadata.schema == example_schema(small_transform.config)


def test_quantiles_weights_and_hashed_ids_are_those_of_tensorflow_transform(tmp_path):
    config = settings_with(
        transform={
            "avc_quantiles": 4,
            "vocabularies": {"user_id": {"hash_buckets": 5}, "topics": {"max_size": 1}},
        },
        training={"sample_weights": {"column": "battery"}},
    )
    transform_rows(config, analyzed_rows(), tmp_path / "beam")
    reference = SmallTransform(config, tmp_path / "beam")
    own = written(config, tmp_path / "own", reference.split_dir, beam.Pipeline())
    assert_same_vocabularies(own, reference)
    assert_same(own, reference, [*analyzed_rows(), *OTHERS])


def test_buckets_of_rates_are_those_of_tensorflow_transform(rated_transform, tmp_path):
    own = written(
        rated_transform.config, tmp_path, rated_transform.split_dir, beam.Pipeline()
    )
    rows = [*rated_rows(), rated_row(video_like_count=10**6, user_like_rate=0.61)]
    tensors, expected = own.apply(*rows), rated_transform.apply(*rows)
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        if name.endswith("_bucket"):
            np.testing.assert_array_equal(tensors[name], tensor, name)
        else:  # means of logarithms are added up in another order
            np.testing.assert_allclose(tensors[name], tensor, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def plain_config():
    """Nothing but vocabularies is analyzed."""
    features = {**SETTINGS["features"], "extra": []}
    return settings_with(features=features)


def test_without_numbers_no_beam_job_is_run(plain_config, tmp_path, small_transform):
    own = written(plain_config, tmp_path, small_transform.split_dir, pipeline=None)
    assert own.ids("author_id") == small_transform.ids("author_id")
    rows = [*analyzed_rows(), *OTHERS]
    tensors, expected = own.apply(*rows), small_transform.apply(*rows)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, expected[name], name)


def test_vocabularies_grow_from_an_earlier_graph(
    plain_config, tmp_path, small_transform
):
    first = written(plain_config, tmp_path / "first", small_transform.split_dir)
    rows = [feature_row(user_id="u9", video_id="v9"), feature_row(user_id="u1")]
    examples = first.examples(rows * 2)
    write_examples(examples, tmp_path / "second" / "raw")
    second = written(
        plain_config,
        tmp_path / "second",
        str(tmp_path / "second" / "raw"),
        earlier=tft.TFTransformOutput(str(tmp_path / "first" / "graph")),
    )
    known = first.ids("video_id")
    assert second.ids("video_id") == {**known, "v9": len(known) + 1}
    # `once` was too rare on the first day, `u0` of today was known.
    assert second.ids("user_id") == {**first.ids("user_id"), "u9": 5}
    assert second.ids("author_id") == first.ids("author_id")
    kept = ["u0", "u1", "u2", "u3"]
    users = second.apply(*[feature_row(user_id=user) for user in kept])["user_id"]
    assert users.numpy().tolist() == [first.ids("user_id")[user] for user in kept]
