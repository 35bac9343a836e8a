"""Buckets of rates and counts, beside their numbers, against numpy."""

import numpy as np
import pytest

from preprocessing.transform.graph import analyzed_columns, transform_custom_config
from preprocessing.transform.input_specs import input_columns, input_specs
from tests.helpers.rated_rows import (
    BUCKETS,
    rated_row,
    rated_rows,
    rated_settings,
)
from tests.helpers.small_transform import settings_with


def specs_of(config):
    specs = input_specs(config.features, config.transform)
    return {spec.name: spec for spec in specs}


def test_each_rate_and_count_is_a_number_and_a_bucket_of_its_side():
    config = rated_settings()
    specs = specs_of(config)
    for column in config.features.rate_columns:
        number, bucket = specs[column], specs[f"{column}_bucket"]
        assert (number.kind, bucket.kind) == ("numeric", "bucket")
        assert number.column == bucket.column == column
        assert number.side == bucket.side
    assert specs["user_like_rate_bucket"].side == "user"
    assert specs["user_x_author_like_rate_bucket"].side == "video"
    assert specs["video_like_rate_bucket"].bucket_values == BUCKETS + 1
    assert specs["video_like_count_bucket"].bucket_values == 3 + 2


def test_without_the_setting_there_are_numbers_alone():
    config = rated_settings(transform={"rate_buckets": None})
    names = specs_of(config).keys()
    assert set(config.features.rate_columns) < names
    assert not any(name.endswith("_bucket") for name in names)


@pytest.mark.parametrize("config", [rated_settings(), settings_with()])
def test_a_column_is_asked_for_once(config):
    columns = input_columns(config.features, config.transform)
    assert len(columns) == len(set(columns))
    assert set(columns) == {
        *(spec.column for spec in specs_of(config).values()),
        "history_gap_ms",
    }


def test_a_column_is_analyzed_once():
    config = rated_settings()
    custom = transform_custom_config(config.features, config.transform)
    assert analyzed_columns(custom) == [
        *("user_like_count", "user_like_rate"),
        *("video_like_count", "video_like_rate"),
        *("user_x_author_like_count", "user_x_author_like_rate"),
        *("loudness", "battery"),
    ]


def test_rates_have_buckets_of_equal_counts(rated_transform):
    rows = rated_rows()
    rates = np.array([row["video_like_rate"] for row in rows], np.float32)
    bounds = np.sort(rates)[len(rows) // BUCKETS :: len(rows) // BUCKETS]
    expected = 1 + np.searchsorted(bounds, rates, side="right")
    found = rated_transform.apply(*rows)["video_like_rate_bucket"]
    np.testing.assert_array_equal(found, expected)
    assert np.bincount(found).tolist() == [0, *[len(rows) // BUCKETS] * BUCKETS]


def test_rates_that_are_mostly_one_value_keep_their_order(rated_transform):
    rates = np.linspace(0.0, 1.0, 101)
    rows = [rated_row(user_like_rate=rate) for rate in rates]
    found = rated_transform.apply(*rows)["user_like_rate_bucket"].numpy()
    assert found.min() == 1
    assert found.max() == BUCKETS
    assert (np.diff(found) >= 0).all()
    assert found[49] < found[50] < found[-1]  # 0.5 begins a bucket


def test_rates_that_never_varied_are_below_or_not(rated_transform):
    rows = [rated_row(user_x_author_like_rate=rate) for rate in (0.0, 0.5, 1.0)]
    found = rated_transform.apply(*rows)["user_x_author_like_rate_bucket"]
    assert found.numpy().tolist() == [1, BUCKETS, BUCKETS]


@pytest.mark.parametrize("subject", ["video", "user"])
def test_counts_are_bucketed_at_their_boundaries(rated_transform, subject):
    """A user's are fractions, since half-lives weigh them."""
    counts = [0, 1, 3, 4, 99, 100, 10**6]
    if subject == "user":
        counts += [0.5, 0.999, 3.999]
    rows = [rated_row(**{f"{subject}_like_count": count}) for count in counts]
    found = rated_transform.apply(*rows)[f"{subject}_like_count_bucket"]
    bounds = rated_transform.config.transform.count_boundaries
    expected = 1 + np.searchsorted(bounds, counts, side="right")
    np.testing.assert_array_equal(found, expected)


def test_what_a_client_calls_unknown_is_no_bucket(rated_transform):
    row = rated_row(
        video_like_count=-1, video_like_rate=float("nan"), user_like_rate=-1.0
    )
    found = rated_transform.apply(row)
    for name in ("video_like_count", "video_like_rate", "user_like_rate"):
        assert found[f"{name}_bucket"].numpy().tolist() == [0], name


def test_the_numbers_are_those_without_buckets(rated_transform):
    rows = rated_rows()
    counts = np.log1p([row["video_like_count"] for row in rows])
    expected = (counts - counts.mean()) / counts.std()
    found = rated_transform.apply(*rows)["video_like_count"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
