"""Distances between two statistics, against distributions that are known."""

import numpy as np
import pytest
import tensorflow_data_validation as tfdv

from pipeline.config import DriftConfig
from pipeline.examples.distances import FeatureDrift
from pipeline.examples.drift import validate
from pipeline.examples.schema import example_schema
from pipeline.examples.statistics import split_statistics
from preprocessing.features.columns import feature_schema
from tests.helpers.column_statistics import schema_of, statistics
from tests.helpers.small_transform import analyzed_rows, settings_with, write_examples

ROWS = 4000


def compare(before, now, **config):
    """Descriptions of the anomalies by column; distances by column and measure."""
    anomalies, moved = validate(
        statistics(**now),
        schema_of(now),
        statistics(**before),
        DriftConfig.model_validate(config),
    )
    found = {name: of.description for name, of in anomalies.anomaly_info.items()}
    assert {drift.feature for drift in moved if drift.above} == set(found)
    return found, {(drift.feature, drift.measure): drift.distance for drift in moved}


def share(of, rows=100):
    return np.repeat([1, 0], [round(of * rows), rows - round(of * rows)])


def long_tailed(seed, scale=1.0):
    drawn = np.random.default_rng(seed).lognormal(8, 1.5, ROWS)
    return (scale * drawn).astype(np.int64)


def test_the_share_of_a_text_is_l_infinity():
    before, now = (["a"] * of + ["b"] * (100 - of) for of in (50, 70))
    found, moved = compare({"country": before}, {"country": now})
    assert moved["country", "l_infinity"] == pytest.approx(0.2)
    assert "above the threshold 0.1" in found["country"]
    assert not compare({"country": before}, {"country": now}, max_categorical=0.3)[0]


@pytest.mark.parametrize("now", [0.0, 0.3, 1.0])
def test_a_flag_moves_by_its_rate(now):
    """Also to a column that is all 0, for which histograms of numbers say 1."""
    moved = compare({"like": share(0.4)}, {"like": share(now)})[1]
    assert moved["like", "l_infinity"] == pytest.approx(abs(now - 0.4), abs=1e-6)
    assert ("like", "jensen_shannon") not in moved


DAYS = np.array([3188, 4536, 5861, 7193, 5926, 4549, 1989, 460])


@pytest.mark.parametrize("first", [0, -3, 5])
@pytest.mark.parametrize("values", [7, 8])
def test_few_integers_move_by_their_shares(first, values):
    """Histograms, whose buckets are cut by the largest, would say that they drift."""
    now = np.array([3119, 3707, 4420, 6164, 7127, 6171, 3384, 858])[:values]
    rows = [np.repeat(np.arange(len(n)) + first, n) for n in (DAYS, now)]
    found, moved = compare({"avc": rows[0]}, {"avc": rows[1]})
    shares = np.append(now, [0] * (8 - values)) / now.sum()
    largest = max(abs(shares - DAYS / DAYS.sum()))
    assert moved["avc", "l_infinity"] == pytest.approx(largest, abs=0.005)
    assert not found


def test_a_flag_that_becomes_a_number_is_compared_as_one():
    moved = compare({"like": share(0.4)}, {"like": share(0.4) * 30})[1]
    assert 0 < moved["like", "jensen_shannon"] <= 1


def test_draws_of_one_long_tailed_distribution_do_not_drift():
    """Whatever their largest value is: with buckets of equal width all would."""
    for seed in range(5):
        now = np.append(long_tailed(seed), 10**9)
        assert not compare({"avc": long_tailed(100)}, {"avc": now})[0]


def test_another_unit_drifts():
    found, moved = compare({"avc": long_tailed(1)}, {"avc": long_tailed(2, 1e-3)})
    assert "Jensen-Shannon divergence" in found["avc"]
    assert moved["avc", "jensen_shannon"] > 0.5


def test_what_becomes_missing_is_an_anomaly():
    full = [1.5, 2.5] * 50
    less, little = ([None] * gone + full[gone:] for gone in (30, 5))
    found, moved = compare({"battery": full}, {"battery": less})
    assert moved["battery", "missing"] == pytest.approx(0.3)
    assert "fewer examples" in found["battery"]
    assert not compare({"battery": full}, {"battery": little})[0]
    assert not compare({"battery": less}, {"battery": full})[0]
    assert not compare({"battery": full}, {"battery": less}, max_missing=None)[0]


@pytest.mark.parametrize("name", ["country", "avc", "battery", "like"])
def test_a_column_that_vanishes_or_comes_has_no_distance_but_its_share(name):
    values = {"country": "x", "avc": 7, "battery": 1.5, "like": 1}
    here, gone = {name: [values[name]] * 10}, {name: [None] * 10}
    found, moved = compare(here, gone)
    assert set(found) == {name}
    assert moved == {(name, "missing"): 1.0}
    assert compare(gone, here) == ({}, {(name, "missing"): 0.0})
    assert compare(gone, gone) == ({}, {(name, "missing"): 0.0})
    assert compare({"other": ["x"] * 10}, here) == ({}, {})


def test_points_in_time_are_not_compared():
    assert compare({"event_time_ms": [1, 2]}, {"event_time_ms": [3, 4]}) == ({}, {})


def test_a_column_has_its_own_threshold_or_none():
    before, now = {"like": share(0.02)}, {"like": share(0.0)}
    assert not compare(before, now)[0]
    assert set(compare(before, now, by_feature={"like": 0.01})[0]) == {"like"}
    now = {"like": share(1.0)}
    assert compare(before, now, by_feature={"like": None}) == ({}, {})


def test_a_kind_can_be_left_out():
    before = {"avc": long_tailed(1), "country": ["a"] * ROWS}
    now = {"avc": long_tailed(2, 1e-3), "country": ["b"] * ROWS}
    assert set(compare(before, now)[0]) == {"avc", "country"}
    assert set(compare(before, now, max_numeric=None)[0]) == {"country"}
    assert set(compare(before, now, max_categorical=None)[0]) == {"avc"}


def test_the_worst_is_the_farthest_beyond_its_threshold():
    rows = [
        FeatureDrift("a", "l_infinity", 0.05, 0.1),
        FeatureDrift("b", "jensen_shannon", 0.3, 0.2),
        FeatureDrift("c", "missing", 0.0, 0.0),
        FeatureDrift("d", "missing", 0.3, 0.0),
    ]
    ordered = sorted(rows, key=lambda drift: drift.badness, reverse=True)
    assert [drift.feature for drift in ordered] == ["d", "b", "a", "c"]
    assert [drift.above for drift in ordered] == [True, True, False, False]


@pytest.fixture(scope="module")
def examples(small_transform, tmp_path_factory):
    """Statistics and schema of handmade examples, one column beyond its domain."""
    config = settings_with()
    rows = [{**row, "user_group": "unheard"} for row in analyzed_rows()]
    split = tmp_path_factory.mktemp("drift") / "split"
    write_examples(small_transform.examples(rows), split)
    found = split_statistics(str(split), feature_schema(config.features), 100)
    return found.proto, example_schema(config)


def test_without_earlier_statistics_the_anomalies_are_tfdvs(examples):
    anomalies, moved = validate(*examples, None, DriftConfig())
    assert anomalies == tfdv.validate_statistics(*examples)
    assert list(anomalies.anomaly_info) == ["user_group"]
    assert moved == []


def test_the_same_again_has_no_drift_and_the_schemas_anomalies(examples):
    found, schema = examples
    before = schema.SerializeToString(), found.SerializeToString()
    anomalies, moved = validate(found, schema, found, DriftConfig())
    assert anomalies.anomaly_info == tfdv.validate_statistics(*examples).anomaly_info
    assert {drift.distance for drift in moved} == {0.0}
    compared = {drift.feature for drift in moved}
    assert {"user_id", "video_tags", "long_view", "loudness"} <= compared
    assert not {"event_time_ms", "history_video_ids"} & compared
    assert (schema.SerializeToString(), found.SerializeToString()) == before
