"""The contestants of `benchmarks/features.py` give what the engine gives."""

import datetime
import json
import random
import shutil
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.feature_engine import (
    beam_engine,
    element_wise,
    mapped_engine,
    polars_program,
    threads_engine,
)
from benchmarks.feature_engine.logs import demo_features, make_log, rename_log
from benchmarks.feature_engine.same_output import check_same, written
from preprocessing import FeatureConfig
from preprocessing.contract.column_names import TIME_COLUMNS, USER_GROUPS
from tests.helpers.log_rows import HOUR, LABELS, START, in_order, log_table, rows

OTHERS = {
    "polars": polars_program.build,
    "element-wise": element_wise.build,
    "engine in Beam": beam_engine.build,
}
# With a last day nothing is rejected for coming long after all others: the contestants
# other than the engine do not look for that.
CONFIG = FeatureConfig(
    history_length=3,
    labels=LABELS,
    shards=2,
    utc_offset_hours=8,
    max_reject_rate=1,
    last_day=datetime.date(2100, 1, 1),
)
CALENDARS = [
    {"utc_offset_hours": 8},
    {"time_zone": "Asia/Beirut"},  # at midnight the clocks go to one
    {"utc_offset_hours": -3.5},
    {"time_zone": "America/New_York"},
    {"time_zone": "Asia/Kathmandu"},
    {},
]
# Logs are moved to the 11th of March 2022 and the three weeks after it: clocks go
# forward on the 13th in New York, on the 27th in Beirut.
EARLIER = 35 * 24 * HOUR


def counted_by(calendar):
    return FeatureConfig(
        **{**CONFIG.model_dump(), "utc_offset_hours": None, **calendar}
    )


def output(build, log_dir, out_dir, config):
    """Feature rows and rejects (row, reason), in an order of their own."""
    out_dir.mkdir()
    build(str(log_dir), str(out_dir), config)
    tables = {
        name: [
            row
            for file in sorted(out_dir.glob(f"{name}/*.parquet"))
            for row in pl.read_parquet(file).to_dicts()
        ]
        for name in ("features", "rejects")
    }
    features = [dict(sorted(row.items())) for row in tables["features"]]
    rejects = [
        {"row": sorted(json.loads(row["row"]).items()), "reason": row["reason"]}
        for row in tables["rejects"]
    ]
    return in_order(features), in_order(rejects)


def write_log(log, folder, files=2):
    folder.mkdir()
    for number in range(files):
        part = [at_time(row, -EARLIER) for row in log[number::files]]
        table = log_table(part, CONFIG)
        pq.write_table(table, folder / f"{number}.parquet")


def at_time(row, shift):
    """The row with its times moved, those that are none excepted."""
    times = [name for name in TIME_COLUMNS if (row[name] or 0) > 0]
    return {**row, **{name: row[name] + shift for name in times}}


def hostile_log(count):
    """Ties, duplicates, nulls, silences of more than 7 days, and broken rows."""
    draw = random.Random(7).choice
    some_time = [START + step * 6 * HOUR + off for step in range(90) for off in (0, 1)]
    users, busy = [f"u{number}" for number in range(40)], ["a", "b", "é", ""] * 8
    log = [
        {
            "user_id": draw([*users, *busy]),
            "video_id": draw(["x", "y", "é", "v10", "v9"]),
            "event_time_ms": draw([None, *some_time]),
            "play_time_ms": draw([-1, *range(11)]),
            "video_duration_ms": draw(range(11)),
            "is_like": draw([0, 0, 0, 1, 1, 2]),
            "is_follow": draw([None, 0, 1]),
            "author_id": draw([None, "", "p", "q"]),
            "video_tags": draw([None, [], ["s"], ["t", "s"]]),
            "user_first_launch_ms": draw([None, -1, *some_time]),
            "video_upload_ms": draw([None, *some_time]),
            "prior_view_count": draw([None, 0, 5]),
        }
        for _ in range(count)
    ]
    return log + log[: count // 10]


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(log=st.lists(rows, min_size=2, max_size=40), calendar=st.sampled_from(CALENDARS))
def test_polars_equals_the_engine(log, calendar, tmp_path_factory):
    folder = tmp_path_factory.mktemp("polars")
    write_log(log, folder / "log")
    config = counted_by(calendar)
    expected = output(threads_engine.build, folder / "log", folder / "engine", config)
    received = output(polars_program.build, folder / "log", folder / "polars", config)
    assert received == expected


@pytest.mark.parametrize("calendar", CALENDARS[:2])
@pytest.mark.parametrize("name", OTHERS)
def test_equals_the_engine_on_a_hostile_log(name, calendar, tmp_path):
    log = hostile_log(600)
    write_log(log, tmp_path / "log")
    config = counted_by(calendar)
    expected = output(
        threads_engine.build, tmp_path / "log", tmp_path / "engine", config
    )
    assert {row["user_group"] for row in expected[0]} == set(USER_GROUPS)
    assert len({row["reason"] for row in expected[1]}) == 6
    received = output(OTHERS[name], tmp_path / "log", tmp_path / "other", config)
    assert received == expected


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A simulated log and what the engine wrote in one process."""
    folder = tmp_path_factory.mktemp("simulated")
    make_log(4_000, str(folder / "log"))
    expected = folder / "expected"
    expected.mkdir()
    threads_engine.build(str(folder / "log"), str(expected), demo_features())
    return folder / "log", expected


@pytest.mark.parametrize("name", OTHERS)
def test_same_output_on_a_simulated_log(name, simulated, tmp_path):
    log_dir, expected = simulated
    OTHERS[name](str(log_dir), str(tmp_path), demo_features())
    outputs = {"engine": written(expected), name: written(tmp_path)}
    assert outputs["engine"].rejects > 0
    check_same(outputs)


@pytest.mark.parametrize("column", ["history_gap_ms", "history_tags", "avc"])
def test_a_single_other_value_is_another_output(column, simulated, tmp_path):
    _, expected = simulated
    copy_with_change(expected, tmp_path, column)
    with pytest.raises(ValueError, match="outputs differ"):
        check_same({"a": written(expected), "b": written(tmp_path)})


def copy_with_change(source: Path, folder: Path, column: str) -> None:
    """The same rows in another order, but two rows have swapped one value."""
    features = pl.read_parquet(source / "features" / "*.parquet")
    other = features.with_row_index().filter(pl.col(column) != pl.col(column).first())
    swapped = features[column].to_list()
    second = other["index"][0]
    swapped[0], swapped[second] = swapped[second], swapped[0]
    kind = features.schema[column]
    changed = features.with_columns(pl.Series(column, swapped, dtype=kind))
    changed.reverse().write_parquet(folder / "features" / "0.parquet", mkdir=True)
    shutil.copytree(source / "rejects", folder / "rejects")


def test_neither_order_nor_files_matter(simulated, tmp_path):
    _, expected = simulated
    for name in ("features", "rejects"):
        rows = pl.read_parquet(expected / name / "*.parquet").reverse()
        rows[:30].write_parquet(tmp_path / name / "0.parquet", mkdir=True)
        rows[30:].write_parquet(tmp_path / name / "1.parquet")
    assert written(tmp_path) == written(expected)


def test_a_log_of_other_names_gives_the_same(tmp_path):
    log, renamed = str(tmp_path / "log"), str(tmp_path / "renamed")
    make_log(3000, log)
    rename_log(log, renamed)
    threads_engine.build(log, str(tmp_path / "plain"), demo_features())
    mapped_engine.build(renamed, str(tmp_path / "mapped"), demo_features())
    outputs = {name: written(tmp_path / name) for name in ("plain", "mapped")}
    assert outputs["plain"].rejects > 0
    check_same(outputs)


@pytest.mark.e2e
def test_polars_has_the_engines_rates(tmp_path):
    make_log(4_000, str(tmp_path / "log"))
    config = demo_features(rates=True)
    found = {}
    for name, build in (
        ("engine", threads_engine.build),
        ("polars", polars_program.build),
    ):
        (tmp_path / name).mkdir()
        build(str(tmp_path / "log"), str(tmp_path / name), config)
        found[name] = written(tmp_path / name)
    check_same(found)
    assert found["engine"].features > 3_000
