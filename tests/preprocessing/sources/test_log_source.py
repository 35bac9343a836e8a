"""Columns by configuration, over all formats that are read so."""

import pytest
from hypothesis import given, settings

from preprocessing.checks.counts import EmptyLogError
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.sources import open_source
from preprocessing.storage.files import SourceError
from tests.helpers.log_files import FORMATS, write_log, write_logs
from tests.helpers.log_rows import LABELS, log_table, logs
from tests.helpers.mapped_logs import COLUMNS, CONFIG, MAY, ROWS, build, rejected, shown


@pytest.mark.parametrize("kind", FORMATS)
def test_a_log_of_other_names_and_units(tmp_path, kind):
    write_logs(tmp_path, kind, {"log": ROWS})
    table = build(tmp_path, kind, columns=COLUMNS)
    assert shown(table, "like", "country") == [
        ("7", "x", MAY, 0, "DE"),
        ("8", "y", MAY + 1000, 1, "FR"),
        ("7", "y", MAY + 2000, 1, None),
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_times_may_count_from_any_day(tmp_path, kind):
    # Past 11 days such seconds, taken as they are, would look like another unit.
    rows = [{**row, "ts": 1_500_000 + n} for n, row in enumerate(ROWS)]
    write_logs(tmp_path, kind, {"log": rows})
    made = {"column": "ts", "unit": "s", "since": "2022-05-01"}
    table = build(tmp_path, kind, columns={**COLUMNS, "event_time_ms": made})
    times = [time_ms for _, _, time_ms in shown(table)]
    assert times == [MAY + 1_500_000_000 + n * 1000 for n in range(3)]


@settings(max_examples=10)
@given(log=logs.filter(len))
def test_a_mapping_to_itself_changes_nothing(tmp_path_factory, log):
    config = FeatureConfig(labels=LABELS)
    rows = log_table(log, config).to_pylist()
    for kind in ("parquet", "csv"):
        folder = write_logs(tmp_path_factory.mktemp(kind), kind, {"log": rows})
        itself = {name: name for name in rows[0]}
        plain, mapped = (
            build(folder, kind, config),
            build(folder, kind, config, columns=itself),
        )
        for one, other in zip(plain[:2], mapped[:2], strict=True):
            assert one.equals(other)


@pytest.mark.parametrize("kind", FORMATS)
def test_one_column_of_the_log_may_serve_several(tmp_path, kind):
    write_logs(tmp_path, kind, {"log": ROWS})
    columns = {
        **COLUMNS,
        "author_id": "item",
        "user_first_launch_ms": COLUMNS["event_time_ms"],
    }
    table = build(tmp_path, kind, columns=columns)
    assert [
        row[1:] for row in shown(table, "author_id", "hours_since_first_launch")
    ] == [
        ("x", MAY, "x", 0.0),
        ("y", MAY + 1000, "y", 0.0),
        ("y", MAY + 2000, "y", 0.0),
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_constants_are_in_every_row(tmp_path, kind):
    write_logs(tmp_path, kind, {"log": ROWS})
    made = {**COLUMNS, "is_like": {"constant": 1}, "country": {"constant": "none"}}
    table = build(tmp_path, kind, columns=made)
    assert [row[3:] for row in shown(table, "like", "country")] == [(1, "none")] * 3


@pytest.mark.parametrize("kind", FORMATS)
def test_rows_that_are_not_asked_for_are_counted(tmp_path, kind):
    write_logs(tmp_path, kind, {"log": ROWS})
    table = build(
        tmp_path,
        kind,
        columns=COLUMNS,
        where={"behavior": ["pv", "fav"], "uid": 7, "nation": "DE"},
    )
    assert [row[0] for row in shown(table)] == ["7"]
    assert (table.rows_in, table.left_out, table.summary.left_out) == (1, 2, 2)
    with pytest.raises(EmptyLogError, match="leaves out all 3"):
        build(tmp_path, kind, columns=COLUMNS, where={"uid": 9})


@pytest.mark.parametrize("kind", FORMATS)
def test_folders_tell_columns_of_the_log(tmp_path, kind):
    rows = [{k: v for k, v in row.items() if k != "nation"} for row in ROWS]
    write_logs(tmp_path, kind, {"land=DE/a": rows[:2], "land=FR/a": rows[2:]})
    columns = {**COLUMNS, "country": "land"}
    table = build(tmp_path, kind, columns=columns)
    assert [row[3] for row in shown(table, "country")] == ["DE", "DE", "FR"]
    table = build(tmp_path, kind, columns=columns, where={"land": "FR"})
    assert (table.rows_in, table.left_out) == (1, 2)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_date_and_a_time_in_two_columns(tmp_path, kind):
    rows = [
        {"uid": "a", "item": "x", "date": "20220501", "hm": 930, "behavior": "pv"},
        {"uid": "b", "item": "x", "date": "20220501", "hm": 2460, "behavior": "pv"},
    ]
    write_logs(tmp_path, kind, {"log": rows})
    when = {"date": "date", "time": "hm", "time_zone": "Asia/Shanghai"}
    columns = {**COLUMNS, "event_time_ms": when, "country": {"constant": "CN"}}
    table = build(tmp_path, kind, columns=columns)
    assert shown(table) == [("a", "x", MAY + int(1.5 * 3_600_000))]
    reason = "event_time_ms: date and hm: not a date and a time of day"
    row = rejected(table)[reason]
    assert row["user_id"] == "b"
    assert row["event_time_ms"] is None
    assert str(row["hm"]) == "2460"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("made", "cells", "reason"),
    [
        ({"unit": "iso8601"}, ["2022-05-01T02:00:00+02:00", "5"], "ISO 8601"),
        (
            {"unit": "iso8601", "time_zone": "Asia/Shanghai"},
            ["2022-05-01 08:00", "noon"],
            "ISO 8601",
        ),
        ({"time_zone": "Asia/Shanghai"}, ["2022-05-01 08:00", "noon"], "ISO 8601"),
        ({"format": "%d/%m/%Y %I %p"}, ["01/05/2022 12 AM", "31/04/2022 1 PM"], "%d/"),
        ({"unit": "s"}, ["1651363200.0009", "soon"], "no number of s"),
        ({"unit": "us"}, ["1651363200000999", "1651363200000"], "ms, not us"),
        ({"unit": "s"}, ["1651363200", "1651363200000"], "looks like ms, not s"),
    ],
)
def test_times_in_text(tmp_path, kind, made, cells, reason):
    rows = [{**row, "ts": cell} for row, cell in zip(ROWS, cells, strict=False)]
    write_logs(tmp_path, kind, {"log": rows})
    columns = {**COLUMNS, "event_time_ms": {"column": "ts", **made}}
    table = build(tmp_path, kind, columns=columns)
    assert [row[2] for row in shown(table)] == [MAY]
    [text] = rejected(table)
    assert text.startswith("event_time_ms: ts")
    assert reason in text
    assert rejected(table)[text]["ts"] == cells[1]


@pytest.mark.parametrize("kind", FORMATS)
def test_durations_in_minutes(tmp_path, kind):
    config = FeatureConfig(labels={"long_view": {"rule": "long_view", "percent": 50}})
    rows = [
        {"user_id": "a", "video_id": "x", "event_time_ms": MAY, "watch": 1.5, "of": 2},
        {"user_id": "b", "video_id": "x", "event_time_ms": MAY, "watch": 0.5, "of": 2},
    ]
    write_logs(tmp_path, kind, {"log": rows})
    columns = {
        "play_time_ms": {"column": "watch", "unit": "min"},
        "video_duration_ms": {"column": "of", "unit": "min"},
    }
    table = build(tmp_path, kind, config, columns=columns)
    rows = {row["user_id"]: row for row in table.features.to_pylist()}
    assert {user: row["long_view"] for user, row in rows.items()} == {"a": 1, "b": 0}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_lists_are_divided_as_the_log_divides_them(tmp_path, kind):
    cells = ["Comedy|Drama, old", '["a", "b"]', "", "one"]
    rows = [
        {"user_id": f"u{i}", "video_id": "x", "event_time_ms": MAY + i, "genres": cell}
        for i, cell in enumerate(cells)
    ]
    write_logs(tmp_path, kind, {"log": rows})
    table = build(
        tmp_path,
        kind,
        FeatureConfig(),
        columns={"video_tags": "genres"},
        list_separator="|",
    )
    assert [row[3] for row in shown(table, "video_tags")] == [
        ["Comedy", "Drama, old"],
        ["a", "b"],
        [],
        ["one"],
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_null_marks_hold_before_the_mapping(tmp_path, kind):
    rows = [{**ROWS[0], "ts": "NULL"}, {**ROWS[1], "ts": "5", "behavior": "NULL"}]
    write_logs(tmp_path, kind, {"log": rows})
    table = build(tmp_path, kind, columns=COLUMNS)
    assert {*rejected(table)} == {"event_time_ms is missing", "is_like is missing"}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"columns": {**COLUMNS, "user_id": "user"}},
            "'user' is missing, which source.columns takes user_id from",
        ),
        (
            {"columns": COLUMNS, "where": {"tabs": 1}},
            "'tabs' is missing, which source.w",
        ),
        (
            {
                "columns": {**COLUMNS, "video_id": "v"},
                "explode": {"column": "shows", "fields": ["v"]},
            },
            "'shows' is missing, which source.explode.column names",
        ),
    ],
)
def test_a_column_that_is_not_there_is_named(tmp_path, kind, settings, message):
    write_log(tmp_path / f"log.{kind}", ROWS)
    source = SourceConfig(format=kind, **settings)
    with pytest.raises(SourceError, match=rf"log\.{kind}.*{message}"):
        open_source(source, CONFIG, str(tmp_path)).parts()


def test_the_nearest_column_is_named(tmp_path):
    write_log(tmp_path / "log.csv", ROWS)
    source = SourceConfig(format="csv", columns={**COLUMNS, "country": "nations"})
    with pytest.raises(
        SourceError, match=r"Did you mean 'nation'\? Received columns: u"
    ):
        open_source(source, CONFIG, str(tmp_path)).parts()


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("event_time_ms", {"column": "at", "format": "%Y%m%d"}, "text or a whole"),
        ("event_time_ms", {"column": "at", "unit": "iso8601"}, "text, a timestamp"),
        ("event_time_ms", {"date": "at"}, "text, a whole number or a date"),
        ("event_time_ms", {"column": "on", "unit": "s"}, "a number, text with one"),
        ("user_id", "at", r"'at' \(for user_id\) has an unusable type"),
    ],
)
def test_a_type_that_cannot_be_used_is_named(tmp_path, name, made, message):
    rows = [{**row, "at": 0.5, "on": True} for row in ROWS]
    write_log(tmp_path / "log.parquet", rows)
    source = SourceConfig(format="parquet", columns={**COLUMNS, name: made})
    with pytest.raises(SourceError, match=message):
        open_source(source, CONFIG, str(tmp_path)).parts()


def test_an_optional_column_of_examples_may_be_in_another_file(tmp_path):
    rows = [{k: v for k, v in row.items() if k != "nation"} for row in ROWS]
    write_logs(tmp_path, "tfrecord", {"a": rows[:1], "b": ROWS[1:2]})
    table = build(tmp_path, "tfrecord", columns=COLUMNS)
    assert [row[3] for row in shown(table, "country")] == [None, "FR"]
    (tmp_path / "b.tfrecord").unlink()
    with pytest.raises(SourceError, match="has the feature nation"):
        build(tmp_path, "tfrecord", columns=COLUMNS)
