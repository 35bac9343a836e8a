"""Either engine writes the same files, and they are whole or absent."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.checks.counts import EmptyLogError, LogSummary, RejectLimitExceeded
from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.engine.write_table import write_feature_table
from preprocessing.features.columns import feature_schema
from preprocessing.state.files import StateError, open_state
from preprocessing.storage.files import SourceError, find_files, move_tree, open_file
from tests.helpers import fake_store
from tests.helpers.kuairand_files import cut_kuairand, log_line, write_kuairand
from tests.helpers.log_rows import LABELS, log_table

KUAIRAND = SourceConfig(format="kuairand")
PARQUET = SourceConfig(format="parquet")
CSV = SourceConfig(format="csv")
CONFIG = FeatureConfig(labels=LABELS, shards=3)
KUAIRAND_CONFIG = FeatureConfig(
    new_user={"max_avc": 10},
    utc_offset_hours=8,
    labels={"long_view": {"column": "long_view"}},
    shards=4,
)
ENGINES = [
    pytest.param({"threads": 1}, id="one thread"),
    pytest.param({"threads": 3}, id="threads"),
    pytest.param(
        {"beam_args": ["--direct_running_mode=in_memory"]},
        id="beam",
        marks=pytest.mark.e2e,
    ),
]
DAY = 86_400_000
START = 1_650_000_000_000 // DAY * DAY


def impression(user="a", video="x", at=0, **more):
    return {
        "user_id": user,
        "video_id": video,
        "event_time_ms": START + at,
        "play_time_ms": 5,
        "video_duration_ms": 10,
        "is_like": 0,
        "author_id": "p",
        "video_tags": ["t"],
        **more,
    }


def write_log(folder, rows, name="log.parquet"):
    folder.mkdir(exist_ok=True)
    pq.write_table(log_table(rows, CONFIG), folder / name, row_group_size=7)
    return str(folder)


def read(place):
    parts = []
    for file in find_files(str(place), "*.parquet"):
        with open_file(file.path) as opened:
            parts.append(pq.read_table(opened))
    return pa.concat_tables(parts)


def rows(table):
    return sorted(map(repr, table.to_pylist()))


def contents(out):
    return {
        name: rows(read(f"{out}/{name}"))
        for name in ("features", "rejects", "state/user_state", "state/video_state")
    }


def assert_output(out, expected):
    assert contents(out) == {
        "features": rows(expected.features),
        "rejects": rows(expected.rejects),
        "state/user_state": rows(expected.user_state),
        "state/video_state": rows(expected.video_state),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_of_the_far_future_does_not_move_the_states_end(tmp_path, engine):
    config = CONFIG.model_copy(update={"max_reject_rate": 0.5})
    year_2100 = 4_102_444_800_000 - START
    monday = write_log(tmp_path / "mon", [impression(), impression(at=year_2100)])
    tuesday = write_log(tmp_path / "tue", [impression(at=DAY), impression(at=DAY + 1)])
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    summary = write_feature_table(PARQUET, config, monday, first, **engine)
    assert (summary.examples, summary.rejects) == (1, 1)
    assert "is in the future" in next(iter(summary.by_reason))
    assert open_state(first).info.watermark_ms == START
    write_feature_table(PARQUET, config, tuesday, second, first, **engine)
    assert sorted(read(f"{second}/features")["avc"].to_pylist()) == [1, 2]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_long_after_an_old_log_does_not_move_the_states_end(tmp_path, engine):
    day = [impression(f"u{i % 9}", f"v{i % 5}", at=i) for i in range(60)]
    stray = impression("u1", "v1", at=400 * DAY)
    monday = write_log(tmp_path / "mon", [*day[:30], stray, *day[30:]])
    later = [{**row, "event_time_ms": row["event_time_ms"] + DAY} for row in day]
    tuesday = write_log(tmp_path / "tue", later)
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    summary = write_feature_table(PARQUET, CONFIG, monday, first, **engine)
    assert (summary.examples, summary.rejects) == (60, 1)
    assert "more than 7 days after the log's other" in next(iter(summary.by_reason))
    assert_output(first, compute_feature_table(PARQUET, CONFIG, monday))
    assert open_state(first).info.watermark_ms == START + 59
    summary = write_feature_table(PARQUET, CONFIG, tuesday, second, first, **engine)
    assert summary.examples == 60


@pytest.mark.parametrize("engine", ENGINES)
def test_days_of_a_time_zone_go_on_from_state_to_state(tmp_path, engine):
    berlin = CONFIG.model_copy(update={"time_zone": "Europe/Berlin"})
    # Half past midnight in Berlin, from the 25th of March 2022, before summer time.
    begin = 1_648_164_600_000 - START
    times = [
        begin,
        begin + DAY,
        begin + 2 * DAY,
        *(begin + d * DAY - 3_600_000 for d in (3, 4)),
    ]
    outs = [None]
    for day, at in enumerate(times):
        log = write_log(tmp_path / f"log{day}", [impression(at=at)])
        outs.append(str(tmp_path / f"out{day}"))
        write_feature_table(PARQUET, berlin, log, outs[-1], outs[-2], **engine)
    days = [read(f"{out}/features")["active_days_7"][0].as_py() for out in outs[1:]]
    assert days == [0, 1, 2, 3, 4]
    with pytest.raises(StateError, match=r"time_zone Europe/Berlin\. Received: "):
        write_feature_table(PARQUET, CONFIG, log, outs[-1], outs[-2], **engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_files_hold_what_the_engine_in_memory_gives(tmp_path, engine):
    lines = [log_line(u, v, at=t) for u in (1, 2, 3) for v in (10, 11) for t in (0, 9)]
    lines += [log_line(1, 10), log_line("", 10), log_line(1, 10, at=4, like=7), "cut,"]
    log, out = tmp_path / "log", tmp_path / "out"
    log.mkdir()
    write_kuairand(log, lines, ["1,-1,10,1,0,0,70,5", "9,-1,10,1,0,0,70,5"])
    config = KUAIRAND_CONFIG.model_copy(update={"max_reject_rate": 0.5})
    summary = write_feature_table(KUAIRAND, config, str(log), str(out), **engine)
    expected = compute_feature_table(KUAIRAND, config, str(log))
    assert_output(out, expected)
    assert summary == expected.summary
    assert summary.rows_in == summary.examples + summary.rejects == 16
    assert LogSummary.from_json((out / "summary.json").read_text()) == summary
    assert open_state(str(out)).info.watermark_ms == summary.last_event_ms
    assert read(out / "features").schema.equals(feature_schema(config))
    assert read(out / "rejects").schema.equals(REJECT_SCHEMA)
    assert not (out / "_incomplete").exists()


def test_the_real_files(data_dir, tmp_path):
    log, out = tmp_path / "log", tmp_path / "out"
    log.mkdir()
    cut_kuairand(data_dir, log, users=300)
    write_feature_table(KUAIRAND, KUAIRAND_CONFIG, str(log), str(out))
    assert_output(out, compute_feature_table(KUAIRAND, KUAIRAND_CONFIG, str(log)))


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_seven_days_one_by_one_are_one_run_over_seven(tmp_path, engine):
    log = [
        impression(f"u{i % 5}", f"v{i % 7}", at=i * DAY // 6 + i % 2, is_like=i % 2)
        for i in range(7 * 6)
    ]
    whole = compute_feature_table(PARQUET, CONFIG, write_log(tmp_path / "log", log))
    examples, state_dir = [], None
    for day in range(7):
        folder = write_log(tmp_path / f"log-{day}", log[day * 6 : day * 6 + 6])
        out = tmp_path / f"out-{day}"
        write_feature_table(PARQUET, CONFIG, folder, str(out), state_dir, **engine)
        examples += read(out / "features").to_pylist()
        state_dir = str(out)
    assert sorted(map(repr, examples)) == rows(whole.features)
    assert rows(read(out / "state/user_state")) == rows(whole.user_state)
    assert rows(read(out / "state/video_state")) == rows(whole.video_state)


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_too_many_rejects_leave_the_earlier_output(tmp_path, engine):
    log = tmp_path / "log.csv"
    log.write_text("user_id,video_id,event_time_ms\na,x,1\n")
    out = tmp_path / "out"
    config = FeatureConfig(shards=2)
    write_feature_table(CSV, config, str(log), str(out), **engine)
    before = contents(out)
    log.write_text("user_id,video_id,event_time_ms\na,x,1\n,x,1\na,,1\na,x,1\n")
    with pytest.raises(RejectLimitExceeded, match="user_id is missing: 1") as caught:
        write_feature_table(CSV, config, str(log), str(out), **engine)
    assert contents(out) == before
    place = out / "_incomplete" / "rejects"
    assert str(place) in str(caught.value)
    reasons = read(place)["reason"].to_pylist()
    assert {"user_id is missing", "video_id is missing"} <= set(reasons)
    log.write_text("user_id,video_id,event_time_ms\na,x,2\n")
    write_feature_table(CSV, config, str(log), str(out), **engine)
    assert read(out / "features")["event_time_ms"].to_pylist() == [2]
    assert not (out / "_incomplete").exists()


def test_repeated_rows_count_towards_the_limit(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user_id,video_id,event_time_ms\na,x,1\na,x,1\n")
    with pytest.raises(
        RejectLimitExceeded,
        match=r"columns that are read \(the contract's\): 1",
    ):
        write_feature_table(CSV, FeatureConfig(), str(log), str(tmp_path / "out"))


def test_a_run_that_is_stopped_leaves_nothing_that_looks_whole(tmp_path, monkeypatch):
    folder = write_log(tmp_path / "log", [impression(at=i) for i in range(20)])
    out = tmp_path / "out"
    steps = []

    def stop(step, done, parts):
        steps.append(step)
        if step == "users":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_feature_table(PARQUET, CONFIG, folder, str(out), progress=stop)
    assert set(steps) == {"read", "videos", "users"}
    assert not (out / "features").exists()
    assert not (out / "summary.json").exists()
    with pytest.raises(StateError):
        open_state(str(out))
    write_feature_table(PARQUET, CONFIG, folder, str(out))
    assert_output(out, compute_feature_table(PARQUET, CONFIG, folder))


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_a_run_that_is_stopped_while_it_moves_its_output(tmp_path, monkeypatch, moves):
    folder = write_log(tmp_path / "log", [impression(at=i) for i in range(20)])
    out = tmp_path / "out"
    write_feature_table(PARQUET, CONFIG, folder, str(out))
    calls = []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) > moves:
            raise KeyboardInterrupt
        move_tree(*arguments)

    monkeypatch.setattr("preprocessing.engine.output_folder.move_tree", stop)
    with pytest.raises(KeyboardInterrupt):
        write_feature_table(PARQUET, CONFIG, folder, str(out))
    monkeypatch.undo()
    assert not (out / "summary.json").exists()
    with pytest.raises(StateError):
        open_state(str(out))
    write_feature_table(PARQUET, CONFIG, folder, str(out))
    assert_output(out, compute_feature_table(PARQUET, CONFIG, folder))


def test_a_later_output_replaces_the_whole_of_an_earlier_one(tmp_path):
    folder = write_log(
        tmp_path / "log", [impression(f"u{i}", f"v{i}", at=i) for i in range(20)]
    )
    out = tmp_path / "out"
    write_feature_table(
        PARQUET, CONFIG.model_copy(update={"shards": 16}), folder, str(out)
    )
    write_feature_table(
        PARQUET, CONFIG.model_copy(update={"shards": 1}), folder, str(out)
    )
    assert [path.name for path in (out / "features").iterdir()] == [
        "part-00000.parquet"
    ]


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_log_of_rejects_alone_leaves_empty_tables(tmp_path, engine):
    log = tmp_path / "log.csv"
    log.write_text("user_id,video_id,event_time_ms\n,x,1\n")
    config = FeatureConfig(max_reject_rate=1)
    out = tmp_path / "out"
    summary = write_feature_table(CSV, config, str(log), str(out), **engine)
    assert (summary.examples, summary.rejects) == (0, 1)
    assert read(out / "features").schema.equals(feature_schema(config))
    assert read(out / "features").num_rows == 0
    assert open_state(str(out)).info.watermark_ms == -1


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_an_empty_log_is_an_error(tmp_path, engine):
    folder = write_log(tmp_path / "log", [])
    with pytest.raises(EmptyLogError):
        write_feature_table(PARQUET, CONFIG, folder, str(tmp_path / "out"), **engine)
    assert not (tmp_path / "out" / "summary.json").exists()


def test_damage_found_by_a_thread_is_named(tmp_path):
    folder = write_log(tmp_path / "log", [impression(at=i) for i in range(50)])
    path = tmp_path / "log" / "log.parquet"
    content = bytearray(path.read_bytes())
    content[4:600] = bytes(596)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"log\.parquet is no whole Parquet file"):
        write_feature_table(PARQUET, CONFIG, folder, str(tmp_path / "out"))


def test_a_broken_state_is_found_before_anything_is_written(tmp_path):
    folder = write_log(tmp_path / "log", [impression()])
    before, out = tmp_path / "before", tmp_path / "out"
    for place in (before, out):
        write_feature_table(PARQUET, CONFIG, folder, str(place))
    summary = (out / "summary.json").read_text()
    info = json.loads((before / "state" / "state.json").read_text())
    (before / "state" / "state.json").write_text(json.dumps({**info, "format": 9}))
    with pytest.raises(StateError, match="format 1"):
        write_feature_table(PARQUET, CONFIG, folder, str(out), str(before))
    assert (out / "summary.json").read_text() == summary


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_places_may_be_in_an_object_store(tmp_path, engine):
    fake_store.FILES.clear()
    days = [[impression(f"u{i}", at=i + 100 * d) for i in range(20)] for d in (0, 1)]
    for number, day in enumerate(days):
        write_log(tmp_path / "log", day)
        content = (tmp_path / "log" / "log.parquet").read_bytes()
        fake_store.FILES[f"fake://b/log-{number}/log.parquet"] = content
    state_dir = None
    for number in (0, 1):
        out = f"fake://b/out-{number}"
        write_feature_table(
            PARQUET, CONFIG, f"fake://b/log-{number}", out, state_dir, **engine
        )
        state_dir = out
    whole = compute_feature_table(
        PARQUET, CONFIG, write_log(tmp_path / "whole", days[0] + days[1])
    )
    examples = read("fake://b/out-0/features").to_pylist()
    examples += read("fake://b/out-1/features").to_pylist()
    assert sorted(map(repr, examples)) == rows(whole.features)
    assert rows(read("fake://b/out-1/state/user_state")) == rows(whole.user_state)
    assert not [path for path in fake_store.FILES if "_incomplete" in path]
