import json

import pytest
from pydantic import ValidationError

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.mapped_names import check_mapped_names
from preprocessing.contract.source_config import SourceConfig


def csv(**settings):
    return SourceConfig(format="csv", **settings)


def test_a_name_alone_is_the_logs_column():
    columns = csv(columns={"user_id": "uid"}).columns
    assert columns == csv(columns={"user_id": {"column": "uid"}}).columns
    assert columns["user_id"].is_rename


@pytest.mark.parametrize(
    "made",
    [
        {"constant": 1},
        {"constant": "uid"},
        {"column": "a", "equals": "x"},
        {"column": "a", "equals": [1, 0.5, "x", True]},
    ],
)
def test_a_configuration_survives_json(made):
    source = csv(columns={"is_like": made}, where={"tab": [1, "0"], "b": True})
    assert SourceConfig.model_validate(json.loads(source.model_dump_json())) == source
    assert source.where == {"tab": (1, "0"), "b": (True,)}


def test_what_yaml_takes_for_a_date_is_text():
    import datetime

    assert csv(where={"dt": [datetime.date(2022, 5, 1)]}).where == {
        "dt": ("2022-05-01",)
    }


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({}, "one of column, date and constant. Received: none"),
        ({"column": "a", "constant": 1}, "Received: column and constant"),
        ({"constant": 1, "unit": "s"}, "unit: without column"),
        ({"column": "a", "unit": "s", "format": "%Y-%m-%d"}, "read in one way"),
        ({"column": "a", "unit": "hours"}, "'ns' or 'iso8601'"),
        ({"column": "a", "time": "b"}, "date is missing"),
        ({"column": "a", "unit": "s", "time_zone": "UTC"}, "numbers since 1970"),
        ({"column": "a", "time_zone": "Shanghai"}, "Asia/Shanghai"),
        ({"column": "a", "format": "yyyy-MM-dd"}, "year, month and day"),
        ({"column": "a", "format": "%H:%M"}, "year, month and day"),
        ({"column": "a", "format": "%Y-%m-%d %"}, "format of strptime"),
        ({"column": "a", "unit": "min"}, "not in minutes since 1970"),
        ({"column": "a", "since": "2020-01-01"}, "a time in s, ms, us or ns"),
        ({"column": "a", "equals": []}, "one value at least"),
        ({"column": ""}, "at least 1 character"),
    ],
)
def test_a_time_that_cannot_be_read_so_is_refused(made, message):
    with pytest.raises(ValidationError, match=message):
        csv(columns={"event_time_ms": made})


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("user_id", {"column": "a", "unit": "s"}, "only times and durations"),
        ("play_time_ms", {"column": "a", "unit": "iso8601"}, "read as a time"),
        ("score", {"date": "dt"}, "read as a time"),
        (
            "play_time_ms",
            {"column": "a", "unit": "s", "since": "2020-01-01"},
            "as a time",
        ),
    ],
)
def test_units_are_for_times_and_durations(name, made, message):
    with pytest.raises(ValidationError, match=message):
        csv(columns={name: made})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delimiter": "||"}, "at most 1 character"),
        ({"delimiter": '"'}, "neither a quote"),
        ({"delimiter": "\u3000"}, "one character of ASCII"),
        ({"header": ["a", "b", "a"]}, "there twice: a"),
        ({"header": []}, "at least 1 item"),
        ({"where": {"tab": []}}, "where.tab needs one value"),
        ({"explode": {"column": "a"}}, "a column and the fields"),
        ({"explode": {"fields": ["a"]}}, "a column and the fields"),
        ({"explode": {"column": "c", "fields": ["a", "a"]}}, "names that differ"),
        (
            {"explode": {"column": "c", "fields": ["a", "b"], "separator": "-"}},
            "must differ",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        csv(**settings)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("parquet", {"delimiter": ";"}),
        ("tfrecord", {"header": ["a"]}),
        ("kuairand", {"columns": {"user_id": "uid"}}),
        ("movielens", {"where": {"tab": 1}}),
        ("delta", {"files": ["*.parquet"]}),
        ("delta", {"delimiter": ";"}),
        ("parquet", {"version": 3}),
        ("avro", {"header": ["a"]}),
    ],
)
def test_settings_that_a_format_does_not_read_are_refused(kind, setting):
    with pytest.raises(ValidationError, match=f"no effect with format {kind}"):
        SourceConfig(format=kind, **setting)


FEATURES = FeatureConfig(
    labels={"stars": {"column": "stars"}},
    extra=[{"name": "country", "entity": "user", "type": "categorical"}],
)


def test_columns_are_those_of_the_contract_labels_and_features():
    columns = {"user_id": "a", "stars": "b", "country": "c", "video_tags": "d"}
    check_mapped_names(csv(columns=columns), FEATURES)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("userid", "did you mean 'user_id'"), ("xyz", "known: user_id, video_id")],
)
def test_another_column_is_refused_with_the_nearest(name, hint):
    with pytest.raises(ValueError, match=f"'{name}' is neither.*{hint}"):
        check_mapped_names(csv(columns={name: "a"}), FEATURES)


def test_an_id_is_not_0_or_1():
    source = csv(columns={"user_id": {"column": "a", "equals": "x"}})
    with pytest.raises(ValueError, match="user_id: equals makes 0 and 1"):
        check_mapped_names(source, FEATURES)
