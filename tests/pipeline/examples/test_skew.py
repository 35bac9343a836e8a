"""Examples against logged requests, by columns whose distance is known."""

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2

from pipeline.config.drift import Thresholds
from pipeline.examples.drift import validate
from pipeline.examples.skew import add_anomalies, skew
from tests.helpers.column_statistics import schema_of, statistics


def compare(examples, served, **thresholds):
    """Descriptions of the anomalies by column; distances by column and measure."""
    anomalies, moved = skew(
        statistics(**examples),
        schema_of(examples),
        statistics(**served),
        Thresholds.model_validate(thresholds),
    )
    found = {name: of.description for name, of in anomalies.anomaly_info.items()}
    assert {drift.feature for drift in moved if drift.above} == set(found)
    assert {drift.compared_with for drift in moved} <= {"serving"}
    return found, {(drift.feature, drift.measure): drift.distance for drift in moved}


def country(first, of=100):
    return ["a"] * first + ["b"] * (of - first)


def numbers(seed, scale=1.0):
    drawn = np.random.default_rng(seed).lognormal(8, 1.5, 4000)
    return (scale * drawn).astype(np.int64)


def test_a_column_that_was_moved_is_found_by_its_distance_and_no_other():
    rest = {"avc": numbers(1)[:100], "like": [0, 1] * 50, "battery": [1.5] * 100}
    found, moved = compare(
        {"country": country(50), **rest}, {"country": country(75), **rest}
    )
    assert set(found) == {"country"}
    assert "between training and serving is 0.25" in found["country"]
    assert moved["country", "l_infinity"] == pytest.approx(0.25)
    assert {of for key, of in moved.items() if key != ("country", "l_infinity")} == {0}


def test_numbers_and_few_integers():
    examples = {"avc": numbers(1), "like": [0, 1] * 2000}
    served = {"avc": numbers(2), "like": [0] * 3200 + [1] * 800}
    found, moved = compare(examples, served)
    assert set(found) == {"like"}
    assert moved["like", "l_infinity"] == pytest.approx(0.3, abs=1e-6)
    assert moved["avc", "jensen_shannon"] < 0.1
    found, moved = compare(examples, {**examples, "avc": numbers(2, 1e-3)})
    assert set(found) == {"avc"}
    assert moved["avc", "jensen_shannon"] > 0.5


def test_what_is_missing_on_either_side_is_an_anomaly():
    full, less = [1.5] * 100, [None] * 30 + [1.5] * 70
    for examples, served, words in (
        (full, less, "missing in 0.0% of the examples and in 30.0%"),
        (less, full, "missing in 30.0% of the examples and in 0.0%"),
    ):
        found, moved = compare({"battery": examples}, {"battery": served})
        assert moved["battery", "missing"] == pytest.approx(0.3)
        assert words in found["battery"]
    assert not compare({"battery": full}, {"battery": less}, max_missing=0.4)[0]
    assert not compare({"battery": full}, {"battery": less}, max_missing=None)[0]


def test_a_column_that_is_never_sent_is_missing_alone():
    found, moved = compare({"avc": [7] * 10}, {"avc": [None] * 10})
    assert moved == {("avc", "missing"): 1.0}
    assert set(found) == {"avc"}


def test_what_requests_do_not_have_is_no_anomaly():
    examples = {"country": country(50), "like": [0, 1] * 50}
    assert compare(examples, {"country": country(50)})[0] == {}


def test_thresholds_are_its_own():
    examples, served = {"country": country(50)}, {"country": country(75)}
    assert not compare(examples, served, max_categorical=0.3)[0]
    assert not compare(examples, served, by_feature={"country": 0.3})[0]
    assert compare(examples, served, by_feature={"country": None}) == ({}, {})


def test_both_anomalies_of_a_column_are_kept():
    examples, schema = {"country": country(50)}, schema_of(["country"])
    schema.feature[0].string_domain.value.append("a")
    now, served = statistics(**examples), statistics(country=country(75))
    found, _ = validate(now, schema, None, Thresholds())
    skewed, _ = skew(now, schema, served, Thresholds())
    alone = {**found.anomaly_info}["country"].description
    add_anomalies(found, skewed)
    both = found.anomaly_info["country"]
    assert both.description.startswith(alone)
    assert "between training and serving" in both.description
    assert {reason.type for reason in both.reason} == {
        anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES,
        anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH,
    }
    assert [info.path.step[0] for info in found.drift_skew_info] == ["country"]


def test_the_schema_and_the_statistics_stay_as_they_are():
    now, served = statistics(like=[0, 1] * 50), statistics(like=[0] * 100)
    schema = schema_of(["like"])
    before = [message.SerializeToString() for message in (now, served, schema)]
    skew(now, schema, served, Thresholds())
    after = [message.SerializeToString() for message in (now, served, schema)]
    assert after == before
    assert tfdv.validate_statistics(now, schema).anomaly_info == {}
