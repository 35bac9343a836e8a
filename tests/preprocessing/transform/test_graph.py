"""One Transform of a few rows, then what its graph makes of others.

References are written out by hand: a bucket counts the boundaries that a value has
reached, plus one; 0 is kept for what is missing.
"""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.contract.config import FeatureConfig
from preprocessing.transform.config import TransformConfig
from preprocessing.transform.graph import (
    _bucket,
    _number,
    embedding_rows,
    transform_custom_config,
)
from preprocessing.transform.input_specs import InputSpec, input_specs
from tests.helpers.small_transform import (
    HOUR_MS,
    analyzed_rows,
    feature_row,
    raw_spec,
    settings_with,
)


def slow_bucket(value, boundaries):
    if value is None or np.isnan(value) or value < 0:
        return 0
    reached = 0
    for bound in boundaries:
        if value >= bound:
            reached += 1
    return reached + 1


def around(boundaries):
    """Values at, just below and beyond all boundaries."""
    below = [float(np.nextafter(np.float32(b), np.float32(0))) for b in boundaries]
    return [0.0, *boundaries, *below, 2 * boundaries[-1]]


def apply(small, name, values, **others):
    """The transformed column of rows that differ in one value."""
    rows = [feature_row(**{name: value, **others}) for value in values]
    return small.apply(*rows)[name].numpy().tolist()


@pytest.mark.parametrize("name", ["hours_since_first_launch", "video_age_hours"])
def test_ages_are_bucketed_at_their_boundaries(small_transform, name):
    bounds = TransformConfig().age_hours_boundaries
    values = around(bounds)
    expected = [slow_bucket(value, bounds) for value in values]
    assert apply(small_transform, name, values) == expected
    assert set(expected) == set(range(1, len(bounds) + 2))


@pytest.mark.parametrize(
    ("name", "field"),
    [("avc", "avc_boundaries"), ("video_impressions", "count_boundaries")],
)
def test_counts_are_bucketed_at_their_boundaries(small_transform, name, field):
    bounds = getattr(TransformConfig(), field)
    values = [n for bound in bounds for n in (bound - 1, bound, bound + 1)]
    expected = [slow_bucket(value, bounds) for value in values]
    assert apply(small_transform, name, values) == expected
    assert set(expected) == set(range(1, len(bounds) + 2))


@pytest.mark.parametrize("name", ["hours_since_first_launch", "video_age_hours"])
def test_an_unknown_age_is_0_and_an_age_of_0_is_not(small_transform, name):
    unknown = [None, float("nan"), -0.001, -24.0, float("-inf")]
    assert apply(small_transform, name, unknown) == [0] * len(unknown)
    assert apply(small_transform, name, [0.0]) == [1]


@pytest.mark.parametrize("name", ["is_new_user", "is_new_video"])
def test_flags_are_told_apart(small_transform, name):
    assert apply(small_transform, name, [0, 1]) == [1, 2]


def test_active_days_keep_their_number(small_transform):
    assert apply(small_transform, "active_days_7", range(8)) == list(range(1, 9))


def test_known_ids_have_rows_of_their_own(small_transform):
    tokens = [f"v{i}" for i in range(6)]
    rows = apply(small_transform, "video_id", tokens)
    assert sorted(rows) == [1, 2, 3, 4, 5, 6]
    known = small_transform.ids("video_id")
    assert rows == [known[token] for token in tokens]
    # The most frequent one comes first.
    assert known["v0"] == 1


def test_unknown_ids_share_the_rows_after_the_vocabulary(small_transform):
    unknown = [f"never seen {i}" for i in range(50)]
    assert set(apply(small_transform, "video_id", unknown)) == {7, 8}
    assert set(apply(small_transform, "country", unknown)) == {2}
    settings = small_transform.config.transform
    sizes = {"video_id": 6, "country": 1}
    assert embedding_rows(sizes.get, "video_id", settings) == 9
    assert embedding_rows(sizes.get, "country", settings) == 3


def test_rare_ids_and_ids_beyond_the_largest_size_are_unknown(small_transform):
    # "once" was seen once and `user_id.min_count` is 2; of authors two are kept.
    assert sorted(small_transform.ids("user_id")) == ["u0", "u1", "u2", "u3"]
    assert apply(small_transform, "user_id", ["once"]) == [5]
    assert small_transform.ids("author_id") == {"a0": 1, "a1": 2}
    assert apply(small_transform, "author_id", ["a2"]) == [3]


@pytest.mark.parametrize("name", ["author_id", "country"])
def test_a_missing_or_empty_id_is_0(small_transform, name):
    assert apply(small_transform, name, [None, ""]) == [0, 0]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, []),
        ([], []),
        (["t1"], ["t1"]),
        (["t2", "t0"], ["t2", "t0"]),
        (["t2", "t0", "t1"], ["t2", "t0"]),
    ],
)
def test_of_tags_the_first_are_kept(small_transform, tags, expected):
    ids = small_transform.ids("video_tags")
    rows = [ids[tag] for tag in expected] + [0] * (2 - len(expected))
    assert apply(small_transform, "video_tags", [tags]) == [rows]


def test_an_unknown_tag_is_no_padding(small_transform):
    [row] = apply(small_transform, "video_tags", [["new", "t1"]])
    assert row == [4, small_transform.ids("video_tags")["t1"]]


@pytest.mark.parametrize("length", range(6))
def test_of_histories_the_last_events_are_kept_oldest_first(small_transform, length):
    events = [f"v{k}" for k in range(length)]
    row = feature_row(
        history_video_ids=events,
        history_author_ids=["a1"] * length,
        history_tags=["t2"] * length,
        history_gap_ms=[(length - k) * 5 * HOUR_MS for k in range(length)],
    )
    out = {name: value.numpy() for name, value in small_transform.apply(row).items()}
    kept = events[-3:]
    padding = [0] * (3 - len(kept))
    ids = small_transform.ids("video_id")
    assert out["history_video_ids"].tolist() == [[ids[v] for v in kept] + padding]
    author, tag = small_transform.ids("author_id")["a1"], 3
    assert small_transform.ids("video_tags")["t2"] == tag
    assert out["history_author_ids"].tolist() == [[author] * len(kept) + padding]
    assert out["history_tags"].tolist() == [[tag] * len(kept) + padding]
    bounds = TransformConfig().gap_hours_boundaries
    gaps = [slow_bucket(5 * hours, bounds) for hours in range(len(kept), 0, -1)]
    assert out["history_gap_ms"].tolist() == [gaps + padding]


def test_gaps_are_bucketed_at_their_boundaries(small_transform):
    # Boundaries that are whole milliseconds and exact in float32.
    values = [0, HOUR_MS // 2 - 36, HOUR_MS // 2, 2 * HOUR_MS - 360, 2 * HOUR_MS]
    values += [720 * HOUR_MS, 10_000 * HOUR_MS]
    bounds = TransformConfig().gap_hours_boundaries
    expected = [slow_bucket(value / HOUR_MS, bounds) for value in values]
    out = apply(
        small_transform,
        "history_gap_ms",
        [[value] for value in values],
        history_video_ids=["v0"],
    )
    assert [row[0] for row in out] == expected
    assert len(set(expected)) == 5


def test_an_unknown_author_inside_a_history_keeps_its_place(small_transform):
    row = feature_row(
        history_video_ids=["v1", "new", "v2"], history_author_ids=["a0", "", "a1"]
    )
    out = small_transform.apply(row)
    assert out["history_author_ids"].numpy().tolist() == [[1, 0, 2]]
    videos = small_transform.ids("video_id")
    first, middle, last = out["history_video_ids"].numpy()[0].tolist()
    assert (first, last) == (videos["v1"], videos["v2"])
    assert middle in (7, 8)


def test_an_id_is_the_same_row_in_a_feature_and_in_its_history(small_transform):
    row = feature_row(
        video_id="v4",
        author_id="a1",
        video_tags=["t1"],
        history_video_ids=["v4"],
        history_author_ids=["a1"],
        history_tags=["t1"],
    )
    out = {name: value.numpy() for name, value in small_transform.apply(row).items()}
    assert out["history_video_ids"][0, 0] == out["video_id"][0] > 0
    assert out["history_author_ids"][0, 0] == out["author_id"][0] > 0
    assert out["history_tags"][0, 0] == out["video_tags"][0, 0] > 0


def test_numbers_become_standard_scores_of_the_known_ones(small_transform):
    known = [r["loudness"] for r in analyzed_rows() if r.get("loudness") is not None]
    assert len(known) < len(analyzed_rows())
    values = [0.0, 5.0, 23.0]
    expected = (np.array(values) - np.mean(known)) / np.std(known)
    out = apply(small_transform, "loudness", values)
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_an_unknown_number_is_the_mean(small_transform):
    unknown = [None, float("nan"), float("inf")]
    assert apply(small_transform, "loudness", unknown) == [0.0] * 3


def test_a_number_that_never_varied_is_0_whatever_is_served(small_transform):
    # No gradient has reached the weights of an input that was always 0.
    assert apply(small_transform, "battery", [7.0, 9.0, 1e30, None]) == [0.0] * 4


def test_an_outlier_that_is_served_is_compressed(small_transform):
    [large, larger] = apply(small_transform, "loudness", [1e10, 3e38])
    assert 20 < large < larger < 100


def test_labels_and_user_key(small_transform):
    out = small_transform.apply(
        feature_row(user_id="u0", long_view=1, is_like=0, like=0),
        feature_row(user_id="u1", long_view=0, is_like=1, like=1),
        feature_row(user_id="u0"),
        feature_row(user_id="nobody"),
        feature_row(user_id="someone"),
    )
    assert out["long_view"].dtype == out["like"].dtype == tf.float32
    assert out["long_view"].numpy().tolist()[:2] == [1, 0]
    assert out["like"].numpy().tolist()[:2] == [0, 1]
    keys = out["user_key"].numpy()
    # Unknown users share a table row, but GAUC must still tell them apart.
    assert keys[0] == keys[2]
    assert len(set(keys)) == 4
    assert len(set(out["user_id"].numpy()[3:])) == 1


def test_shapes_are_those_that_the_model_is_told(small_transform):
    config = small_transform.config
    out = small_transform.apply(*analyzed_rows())
    for spec in input_specs(config.features, config.transform):
        tensor = out[spec.name]
        expected = (25, spec.length) if spec.length else (25,)
        assert tensor.shape == expected, spec.name
        if spec.kind == "bucket":
            assert tensor.numpy().min() >= 0
            assert tensor.numpy().max() < spec.bucket_values
        assert tensor.dtype == (tf.float32 if spec.kind == "numeric" else tf.int64)


def test_the_saved_graph_does_what_beam_did(small_transform):
    files = tf.io.gfile.glob(small_transform.train_files)
    spec = small_transform.output.transformed_feature_spec()
    examples = tf.data.TFRecordDataset(files, "GZIP").batch(100)
    by_beam = tf.io.parse_example(next(iter(examples)), spec)
    by_graph = small_transform.apply(*analyzed_rows())
    assert by_beam.keys() == by_graph.keys()
    for name, value in by_graph.items():
        np.testing.assert_allclose(by_beam[name], value, rtol=1e-6, err_msg=name)


def test_quantiles_make_buckets_of_equal_counts(tmp_path):
    views = [int(1.5**i) for i in range(20, 40)]
    spec = InputSpec("avc", "bucket", "user", quantiles=4)
    schema = schema_utils.schema_from_feature_spec(
        {"avc": tf.io.FixedLenFeature([], tf.int64)}
    )
    data = [{"avc": value} for value in views]
    metadata = dataset_metadata.DatasetMetadata(schema)
    with tft_beam.Context(temp_dir=str(tmp_path)):
        (rows, _), _ = (data, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: {"avc": _bucket(inputs["avc"], spec)}
        )
    buckets = [row["avc"] for row in rows]
    assert buckets == sorted(buckets)
    assert np.bincount(buckets, minlength=5).tolist() == [0, 5, 5, 5, 5]
    assert spec.bucket_values == 5


@pytest.mark.parametrize("quantiles", [None, 3, 30])
def test_the_model_is_told_how_many_avc_buckets_there_are(quantiles):
    config = settings_with(transform={"avc_quantiles": quantiles})
    [avc] = [
        spec
        for spec in input_specs(config.features, config.transform)
        if spec.name == "avc"
    ]
    assert avc.bucket_values == (quantiles + 1 if quantiles else 17)


def test_a_missing_required_column_is_named(small_transform):
    spec = raw_spec(small_transform.config)
    assert isinstance(spec["avc"], tf.io.FixedLenFeature)
    example = tf.train.Example.FromString(small_transform.examples([feature_row()])[0])
    del example.features.feature["avc"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="avc"):
        tf.io.parse_example([example.SerializeToString()], spec)


def test_settings_travel_as_text():
    config = settings_with(transform={"avc_quantiles": 5})
    custom = transform_custom_config(config.features, config.transform)
    assert FeatureConfig.model_validate_json(custom["features"]) == config.features
    assert TransformConfig.model_validate_json(custom["transform"]) == config.transform


def test_a_users_group_is_its_place_among_the_names(small_transform):
    groups = ["new", "returning", "inactive", "regular", "another"]
    assert apply(small_transform, "user_group", groups) == [1, 2, 3, 4, 0]


def test_weights_are_there_where_a_column_is_named_alone(small_transform):
    assert "sample_weight" not in small_transform.apply(feature_row())


def test_rates_are_inputs_of_their_side():
    subjects = {"user": {}, "author": {}, "user_x_tag": {}}
    features = FeatureConfig(
        labels={"like": {"column": "is_like"}}, rates={"subjects": subjects}
    )
    specs = {spec.name: spec for spec in input_specs(features, TransformConfig())}
    found = {name: specs[name] for name in features.rate_columns}
    assert {spec.kind for spec in found.values()} == {"numeric"}
    sides = {name: spec.side for name, spec in found.items()}
    assert sides["user_like_rate"] == "user"
    assert sides["author_like_rate"] == sides["user_x_tag_like_count"] == "video"


def test_counts_are_scaled_by_their_logarithm():
    column = tf.constant([[0], [1], [99]], tf.int64)
    count = InputSpec("n", "numeric", "video", logarithm=True)
    expected = np.log1p([0, 1, 99])
    np.testing.assert_allclose(_number(column, count), expected, rtol=1e-6)
    rate = InputSpec("r", "numeric", "video")
    values = tf.constant([[0.25], [np.nan]], tf.float32)
    np.testing.assert_array_equal(_number(values, rate), [0.25, np.nan])
