import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema, traced_schema
from tests.helpers.log_rows import LABELS, MASKED_LABELS, logs

CONFIG = FeatureConfig(
    labels=LABELS, extra=[{"name": "speed", "entity": "context", "type": "numeric"}]
)
GOOD = {
    "user_id": "a",
    "video_id": "x",
    "event_time_ms": "1650000000000",
    "play_time_ms": "5",
    "video_duration_ms": "10",
    "is_like": "0",
    "speed": "1.5",
}


def one_row(**changes):
    row = {**GOOD, **changes}
    table = pa.table(
        {name: pa.array([cell], pa.string()) for name, cell in row.items()}
    )
    return validate(table, "day.csv", 0, CONFIG)


@pytest.mark.parametrize("number", [float("inf"), -float("inf"), 1e39, -1.7e308])
def test_numbers_that_float32_does_not_hold_cost_their_row(number):
    rows = [{**GOOD, "speed": number}, {**GOOD, "speed": 3e38}]
    accepted, rejects = validate(pa.Table.from_pylist(rows), "a.parquet", 0, CONFIG)
    reason = "speed is infinite, or beyond what float32 holds"
    assert rejects["reason"].to_pylist() == [reason]
    assert accepted.num_rows == 1


def test_a_good_row_is_accepted():
    accepted, rejects = one_row()
    assert rejects.num_rows == 0
    assert accepted.schema == traced_schema(CONFIG)
    row = accepted.to_pylist()[0]
    assert row["event_time_ms"] == 1_650_000_000_000
    assert row["author_id"] is None


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("user_id", None, "user_id is missing"),
        ("user_id", "", "user_id is missing"),
        ("video_id", None, "video_id is missing"),
        ("event_time_ms", "", "event_time_ms is missing"),
        ("event_time_ms", "yesterday", "event_time_ms is not a number"),
        ("event_time_ms", "-1", "event_time_ms is out of range"),
        ("event_time_ms", "1650000000000000", "event_time_ms is out of range"),
        ("play_time_ms", "-1", "play_time_ms is negative"),
        ("play_time_ms", None, "play_time_ms is missing"),
        ("video_duration_ms", "-10", "video_duration_ms is negative"),
        ("video_duration_ms", "long", "video_duration_ms is not a number"),
        ("video_upload_ms", "x", "video_upload_ms is not a number"),
        ("user_first_launch_ms", "-5", "user_first_launch_ms is out of range"),
        ("prior_view_count", "-1", "prior_view_count is negative"),
        ("is_like", "2", "is_like is not 0 or 1"),
        ("is_like", None, "is_like is missing"),
        ("is_follow", "-1", "is_follow is not 0 or 1"),
        ("speed", "fast", "speed is not a number"),
        ("speed", "1e39", "speed is infinite, or beyond what float32 holds"),
        ("speed", "-1e308", "speed is infinite, or beyond what float32 holds"),
    ],
)
def test_a_bad_cell_rejects_its_row(column, cell, reason):
    accepted, rejects = one_row(**{column: cell})
    assert accepted.num_rows == 0
    reject = rejects.to_pylist()[0]
    assert reject["reason"].startswith(reason)
    assert reject["source"] == "day.csv"
    assert json.loads(reject["row"])[column] == cell


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("is_like", None, ""),
        ("is_like", "", ""),
        ("play_time_ms", None, ""),
        ("video_duration_ms", " ", ""),
        ("stars", None, ""),
        # What is there and cannot be a label is a defect, not a missing label.
        ("is_like", "2", "is_like is not 0 or 1"),
        ("is_like", "maybe", "is_like is not a number"),
        ("play_time_ms", "-1", "play_time_ms is negative"),
        ("stars", "inf", "stars is not a number"),
        ("user_id", None, "user_id is missing"),
    ],
)
def test_a_row_without_a_masked_label_is_accepted(column, cell, reason):
    stars = {"praised": {"column": "stars", "at_least": 3, "missing": "mask"}}
    config = FeatureConfig(labels={**MASKED_LABELS, **stars})
    row = {**GOOD, "stars": "4", column: cell}
    table = pa.table({name: pa.array([c], pa.string()) for name, c in row.items()})
    accepted, rejects = validate(table, "day.csv", 0, config)
    assert accepted.schema == traced_schema(config)
    assert rejects["reason"].to_pylist() == ([reason] if reason else [])
    assert accepted[column].to_pylist() == ([] if reason else [None])


LATEST_MS = 1_650_000_000_000


@pytest.mark.parametrize(
    ("time_ms", "accepted"),
    [
        (LATEST_MS, 1),
        (LATEST_MS + 1, 0),
        (4_102_444_800_000, 0),  # 2100
        (0, 1),
    ],
)
def test_rows_of_the_future_are_rejected(time_ms, accepted):
    table = pa.table({"user_id": ["a"], "video_id": ["x"], "event_time_ms": [time_ms]})
    read = validate(table, "f", 0, FeatureConfig(), latest_ms=LATEST_MS)
    assert read.accepted.num_rows == accepted
    assert [reason[:30] for reason in read.rejects["reason"].to_pylist()] == (
        [] if accepted else ["event_time_ms is in the future"]
    )


@pytest.mark.parametrize(
    ("last_day", "accepted"), [("2022-04-15", 0), ("2100-01-01", 1)]
)
def test_the_last_day_is_the_end_in_place_of_the_clock(last_day, accepted):
    time_ms = LATEST_MS + 2 * 86_400_000
    table = pa.table({"user_id": ["a"], "video_id": ["x"], "event_time_ms": [time_ms]})
    config = FeatureConfig(last_day=last_day)
    read = validate(table, "f", 0, config, latest_ms=LATEST_MS)
    assert read.accepted.num_rows == accepted


@pytest.mark.parametrize(
    ("zone", "accepted"), [("Asia/Shanghai", 1), ("America/New_York", 2)]
)
def test_the_last_day_ends_where_the_users_live(zone, accepted):
    end_in_china = 1_649_952_000_000  # 2022-04-14T16:00Z
    times = pa.array([end_in_china - 1, end_in_china])
    table = pa.table(
        {"user_id": ["a"] * 2, "video_id": ["x"] * 2, "event_time_ms": times}
    )
    config = FeatureConfig(last_day="2022-04-14", time_zone=zone)
    assert validate(table, "f", 0, config).accepted.num_rows == accepted


@pytest.mark.parametrize(
    "column", ["event_time_ms", "user_first_launch_ms", "video_upload_ms"]
)
@pytest.mark.parametrize(
    ("time", "unit"),
    [
        (1_000_000_000, "seconds"),
        (1_650_000_000, "seconds"),
        (9_999_999_999, "seconds"),
        (253_402_300_800_000, "microseconds"),
        (1_650_000_000_000_000, "microseconds"),
        (1_650_000_000_000_000_000, "nanoseconds"),
    ],
)
def test_a_time_in_another_unit_is_rejected_with_the_unit(column, time, unit):
    accepted, rejects = one_row(**{column: str(time)})
    assert accepted.num_rows == 0
    reason = rejects["reason"][0].as_py()
    assert reason.startswith(column)
    assert reason.endswith(f"looks like {unit}, not milliseconds")


@pytest.mark.parametrize(
    "time", [0, 5, 999_999_999, 10_000_000_000, 1_650_000_000_000, 253_402_300_799_999]
)
def test_times_in_milliseconds_are_taken(time):
    names = ("event_time_ms", "user_first_launch_ms", "video_upload_ms")
    accepted, _ = one_row(**dict.fromkeys(names, str(time)))
    assert [accepted[name].to_pylist() for name in names] == [[time]] * 3


@pytest.mark.parametrize(
    "column", ["author_id", "video_upload_ms", "user_first_launch_ms", "speed"]
)
def test_optional_values_may_be_missing(column):
    accepted, _ = one_row(**{column: None})
    assert accepted[column].to_pylist() == [None]


def test_watching_columns_are_free_where_no_label_needs_them():
    table = pa.table({"user_id": [1], "video_id": [2], "event_time_ms": [3]})
    accepted, _ = validate(table, "f", 0, FeatureConfig())
    assert accepted["user_id"].to_pylist() == ["1"]
    assert accepted["play_time_ms"].to_pylist() == [None]


def test_columns_of_nothing_but_nulls_are_read():
    schema = impression_schema(FeatureConfig())
    table = pa.table({name: pa.nulls(2) for name in schema.names})
    assert validate(table, "f", 0, FeatureConfig()).rejects.num_rows == 2


@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("time", [2**62, -(2**62)])
def test_a_time_that_python_has_not_is_kept_as_its_number(unit, time):
    rows = [{**GOOD, "event_time_ms": 0}, {**GOOD, "event_time_ms": time}]
    table = pa.Table.from_pylist(rows)
    times = table["event_time_ms"].cast(pa.timestamp(unit, "UTC"))
    table = table.set_column(2, "event_time_ms", times)
    _, rejects = validate(table, "a.parquet", 0, CONFIG)
    assert json.loads(rejects["row"][-1].as_py())["event_time_ms"] == time


def test_rejected_rows_are_valid_json_even_with_nan():
    table = pa.table(
        {"user_id": [None], "video_id": [1], "event_time_ms": [float("nan")]}
    )
    table = table.set_column(0, "user_id", pa.nulls(1))
    row = validate(table, "f", 0, FeatureConfig()).rejects["row"][0].as_py()
    assert json.loads(row, parse_constant=pytest.fail)["event_time_ms"] is None


cells = st.sampled_from(["", "a", "1", "-1", "2", "1.5", "1650000000000", "é,b", None])


@given(
    table=st.lists(
        st.fixed_dictionaries(dict.fromkeys(impression_schema(CONFIG).names, cells)),
        max_size=20,
    )
)
def test_rows_in_are_accepted_rows_and_rejects(table):
    raw = pa.table(
        {
            name: pa.array([row[name] for row in table], pa.string())
            for name in impression_schema(CONFIG).names
        }
    )
    accepted, rejects = validate(raw, "f", 0, CONFIG)
    assert accepted.num_rows + rejects.num_rows == len(table)
    accepted.validate(full=True)


@given(log=logs)
def test_typed_and_text_columns_give_the_same_impressions(log):
    config = FeatureConfig(labels=LABELS)
    schema = impression_schema(config)
    log = [{**row, "video_tags": None} for row in log]
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    typed = pa.Table.from_pylist(log, schema=nullable)
    text = pa.table(
        {
            name: pa.array(
                [None if row[name] is None else str(row[name]) for row in log],
                pa.string(),
            )
            for name in schema.names
        }
    )
    assert validate(typed, "f", 0, config).accepted.equals(
        validate(text, "f", 0, config).accepted
    )
