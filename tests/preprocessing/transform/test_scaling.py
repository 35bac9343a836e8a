"""Scores of columns that a mean and a standard deviation would silence."""

from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from preprocessing.transform import scaling

FLT_MAX = float(np.finfo(np.float32).max)
RNG = np.random.default_rng(5)


class ExactAnalyzers:
    """What TFT's analyzers give when all values are in one batch, at once."""

    @staticmethod
    def quantiles(x, num_buckets, epsilon):
        assert epsilon <= 1 / num_buckets
        values = np.sort(x.numpy()) if len(x) else np.zeros(1)
        ranks = np.arange(1, num_buckets) * len(values) // num_buckets
        return tf.constant(values[ranks][None], tf.float32)

    @staticmethod
    def mean(x):
        return tf.constant(np.mean(x.numpy()) if len(x) else 0.0, tf.float64)

    @staticmethod
    def var(x):
        return tf.constant(np.var(x.numpy()) if len(x) else 0.0, tf.float64)


def scores_of(column):
    """The scores of a column, None for a missing value."""
    filled = [np.nan if x is None else x for x in column]
    with mock.patch.object(scaling, "tft", ExactAnalyzers):
        scores = scaling.standard_scores(tf.constant(filled, tf.float32))
    assert scores.dtype == tf.float32
    return scores.numpy()


def scores_by_beam(folder, columns):
    """The scores of columns of one length, in many batches."""
    spec = {name: tf.io.FixedLenFeature([], tf.float32) for name in columns}
    metadata = dataset_metadata.DatasetMetadata(
        schema_utils.schema_from_feature_spec(spec)
    )
    filled = {
        name: [np.nan if x is None else x for x in column]
        for name, column in columns.items()
    }
    rows = [
        dict(zip(columns, row, strict=True))
        for row in zip(*filled.values(), strict=True)
    ]
    with tft_beam.Context(temp_dir=str(folder), desired_batch_size=97):
        (found, _), _ = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: {
                name: scaling.standard_scores(inputs[name]) for name in columns
            }
        )
    return {name: np.array([row[name] for row in found]) for name in columns}


def mixed(usual, other, every):
    return [other if i % every == 7 % every else usual(i) for i in range(1000)]


def ramp(i):
    return (i * 37 % 101) / 50 - 1


# What a user's column may hold, 1,000 rows each: all of its values must stay apart.
COLUMNS = {
    "1 % are FLT_MAX for unknown": mixed(ramp, FLT_MAX, 100),
    "1 % are -FLT_MAX": mixed(ramp, -FLT_MAX, 100),
    "both ends": mixed(lambda i: FLT_MAX if i % 100 == 8 else ramp(i), -FLT_MAX, 100),
    "40 % are FLT_MAX": [FLT_MAX if i % 5 < 2 else ramp(i) for i in range(1000)],
    "about 1e20": [1e20 * (1 + i % 100) for i in range(1000)],
    "about 1e-30": [1e-30 * (1 + i % 100) for i in range(1000)],
    "about 1e20, and one 1e38": mixed(lambda i: 1e20 * (1 + i % 100), 1e38, 1000),
    "int64's ends among small counts": mixed(
        lambda i: 2.0**63 if i % 100 == 8 else i % 9, -(2.0**63), 100
    ),
    "-1 for unknown": mixed(lambda i: 1e6 + i % 100, -1.0, 10),
    "equal but one": [7.0] * 999 + [8.0],
    "0 but one FLT_MAX": [0.0] * 999 + [FLT_MAX],
    "bimodal": [0.0 if i % 5 < 3 else 1e6 for i in range(1000)],
    "mostly 0, some small, few FLT_MAX": [
        FLT_MAX if i % 200 == 7 else i % 10 if i % 4 == 0 else 0.0 for i in range(1000)
    ],
    "exponential": np.round(RNG.exponential(1000, 1000)),
    "heavy-tailed": np.round(RNG.standard_cauchy(1000), 2),
    "prices": np.round(np.exp(RNG.normal(0, 3, 1000)), 2),
    "microseconds since 1970": [1.65e15 + 2.0**30 * (i % 50) for i in range(1000)],
    "flags": [float(i % 2) for i in range(1000)],
    "two values, one rare": [float(i == 3) for i in range(1000)],
}
DULL = {
    "constant": [0.1] * 1000,
    "constant and large": [1e20] * 1000,
    "constant where it is known": [None if i % 3 else FLT_MAX for i in range(1000)],
    "missing": [None] * 1000,
    "NaN and infinity": [np.nan, np.inf, -np.inf, None] * 250,
}


@pytest.mark.parametrize("name", COLUMNS)
def test_values_that_differ_have_scores_that_differ_in_their_order(name):
    scores = scores_of(COLUMNS[name])
    values, first = np.unique(np.float32(COLUMNS[name]), return_index=True)
    assert len(values) > 1
    assert (np.diff(scores[first]) > 0).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", COLUMNS)
def test_scores_are_of_a_size_that_a_network_can_take(name):
    scores = scores_of(COLUMNS[name])
    assert np.abs(scores).max() < 150
    assert 0.02 < np.std(scores) < 60


@pytest.mark.parametrize("name", DULL)
def test_a_column_of_one_value_or_none_is_0(name):
    assert scores_of(DULL[name]).tolist() == [0.0] * 1000


@pytest.mark.parametrize("outlier", [1e30, -1e30, FLT_MAX])
def test_outliers_do_not_change_what_the_others_score(outlier):
    usual = np.random.default_rng(9).normal(50, 7, 990)
    scores = scores_of([*usual, *[outlier] * 10, None])
    known = np.float32(usual).astype(np.float64)
    expected = (known - known.mean()) / known.std()
    np.testing.assert_allclose(scores[:990], expected, rtol=1e-5, atol=1e-6)
    beyond = 10 + np.log(abs(outlier) / known.std() / 10)
    np.testing.assert_allclose(np.abs(scores[990:1000]), beyond, rtol=1e-5)
    assert np.sign(scores[990]) == np.sign(outlier)
    assert scores[1000] == 0


@settings(max_examples=200)
@given(column=st.lists(st.floats(width=32) | st.none(), max_size=30))
def test_no_column_of_numbers_loses_its_order(column):
    scores = scores_of(column)
    known = np.array([x is not None and np.isfinite(x) for x in column], bool)
    values = np.array([x if k else 0 for x, k in zip(column, known, strict=True)])
    order = np.argsort(values[known], kind="stable")
    assert np.isfinite(scores).all()
    assert (np.diff(scores[known][order]) >= 0).all()
    assert (scores[~known] == 0).all()
    if known.any() and np.ptp(values[known]) > 1e-30:
        assert np.ptp(scores[known]) > 0


@pytest.mark.e2e
def test_the_analyzers_of_transform_find_the_same_in_batches(tmp_path):
    names = ["1 % are FLT_MAX for unknown", "mostly 0, some small, few FLT_MAX"]
    names += ["about 1e20, and one 1e38", "constant", "missing"]
    columns = {**COLUMNS, **DULL}
    by_key = {f"c{i}": columns[name] for i, name in enumerate(names)}
    for key, scores in scores_by_beam(tmp_path, by_key).items():
        order = np.argsort(np.float32(by_key[key]))
        assert (np.diff(scores[order]) >= 0).all()
        np.testing.assert_allclose(scores, scores_of(by_key[key]), rtol=0.02, atol=0.02)


def test_columns_together_have_the_scores_of_each_alone(tmp_path):
    """By numpy; what is missing, and what never varied, is 0."""
    rows = 500
    values = np.stack(
        [RNG.beta(2, 5, rows), np.log1p(RNG.geometric(0.02, rows)), np.full(rows, 0.3)],
        axis=1,
    ).astype(np.float32)
    values[7, 0] = np.nan
    metadata = dataset_metadata.DatasetMetadata(
        schema_utils.schema_from_feature_spec(
            {"x": tf.io.FixedLenFeature([3], tf.float32)}
        )
    )
    data = [{"x": row} for row in values]
    with tft_beam.Context(temp_dir=str(tmp_path), desired_batch_size=97):
        (found, _), _ = (data, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: {"x": scaling.scores_of_columns(inputs["x"])}
        )
    expected = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    expected[7, 0] = 0
    expected[:, 2] = 0
    np.testing.assert_allclose([row["x"] for row in found], expected, atol=1e-4)
