"""The Beam engine gives what the in-process engine gives."""

import glob
import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from preprocessing.checks.counts import (
    EmptyLogError,
    RejectLimitExceeded,
    check_rejects,
)
from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.features import BuildFeatures
from preprocessing.engine.beam.outputs import read_summary, write_rejects, write_state
from preprocessing.engine.beam.read_log import ReadImpressions
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.features.columns import feature_schema
from preprocessing.state.files import finish_state, open_state, read_state
from preprocessing.storage.files import SourceError
from tests.helpers.kuairand_files import cut_kuairand, log_line, write_kuairand
from tests.helpers.log_files import FORMATS, write_logs

pytestmark = pytest.mark.e2e

KUAIRAND = SourceConfig(format="kuairand")
CSV = SourceConfig(format="csv")
CONFIG = FeatureConfig(
    new_user={"max_avc": 10},
    utc_offset_hours=8,
    labels={"long_view": {"column": "long_view"}, "like": {"column": "is_like"}},
    extra=[{"name": "tab", "entity": "context", "type": "categorical"}],
    shards=4,
)
OPTIONS = ["--direct_running_mode=in_memory"]


def run(source, config, data_dir, out, state_dir=None, options=OPTIONS):
    with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
        log = pipeline | ReadImpressions(source, config, str(data_dir), state_dir)
        outputs = log | BuildFeatures(config)
        write_rejects(outputs, str(out))
        write_state(outputs, str(out / "state"), config)
        _ = outputs.features | beam.io.parquetio.WriteToParquetBatched(
            str(out / "features"), feature_schema(config), file_name_suffix=".parquet"
        )
    parts = [pq.read_table(path) for path in glob.glob(f"{out}/features*.parquet")]
    rejects = [pq.read_table(path) for path in glob.glob(f"{out}/rejects*.parquet")]
    before = state_dir and open_state(state_dir).info
    last_event_ms = read_summary(str(out)).last_event_ms
    finish_state(str(out / "state"), last_event_ms, config, before)
    empty = feature_schema(config).empty_table()
    return pa.concat_tables([empty, *parts]), pa.concat_tables(rejects)


def assert_same(source, config, data_dir, out, state_dir=None):
    features, rejects = run(source, config, data_dir, out, state_dir)
    expected = compute_feature_table(source, config, str(data_dir), state_dir)
    state = open_state(str(out))
    for files, table in (
        (state.user_files, expected.user_state),
        (state.video_files, expected.video_state),
    ):
        parts = [part for file in files for part in read_state(file)]
        assert all(part.schema.equals(table.schema) for part in parts)
        assert rows(pa.concat_tables([table.slice(0, 0), *parts])) == rows(table)
    assert state.info.watermark_ms == expected.summary.last_event_ms
    assert features.schema.equals(feature_schema(config))
    assert rejects.schema.equals(REJECT_SCHEMA)
    assert rows(features) == rows(expected.features)
    assert rows(rejects) == rows(expected.rejects)
    assert read_summary(str(out)) == expected.summary
    return expected


def rows(table):
    return sorted(map(repr, table.to_pylist()))


def test_equals_the_engine_in_process(tmp_path):
    lines = [log_line(u, v, at=t) for u in (1, 2, 3) for v in (10, 11) for t in (0, 9)]
    lines += [log_line(1, 10), log_line("", 10), log_line(1, 10, at=4, like=7), "cut,"]
    write_kuairand(tmp_path, lines, ["1,-1,10,1,0,0,70,5", "9,-1,10,1,0,0,70,5"])
    expected = assert_same(KUAIRAND, CONFIG, tmp_path, tmp_path / "out")
    assert expected.summary.rows_in == 16
    assert expected.summary.examples == 12
    assert len(expected.summary.by_reason) == 4


@pytest.mark.parametrize("kind", FORMATS)
def test_a_log_of_other_names_equals_the_engine_in_process(tmp_path, kind):
    rows = [
        {
            "uid": i % 3,
            "at": ["2022-05-01 08:00:00.25", "2022-05-01 09:30", "soon"][i % 3],
            "tab": i % 4,
            "shown": [f"v{i}-1 v{i + 1}-0", "v7-x", "v9", ""][i % 4],
        }
        for i in range(40)
    ]
    write_logs(tmp_path / "log", kind, {"day=1/a": rows, "day=2/b": rows[:9]})
    source = SourceConfig(
        format=kind,
        columns={
            "user_id": "uid",
            "event_time_ms": {"column": "at", "time_zone": "Asia/Shanghai"},
            "author_id": "day",
            "is_like": {"column": "clicked", "equals": 1},
        },
        where={"tab": [0, 1, 2], "day": [1, "2"]},
        explode={"column": "shown", "fields": ["video_id", "clicked"]},
    )
    config = FeatureConfig(labels={"like": {"column": "is_like"}}, max_reject_rate=1)
    done = assert_same(source, config, tmp_path / "log", tmp_path / "out")
    assert len(done.summary.by_reason) == 3
    assert min(done.summary.examples, done.summary.left_out) > 10


def test_equals_the_engine_in_process_on_real_files(data_dir, tmp_path):
    cut_kuairand(data_dir, tmp_path, users=120)
    assert_same(KUAIRAND, CONFIG, tmp_path, tmp_path / "out")


def test_days_on_the_state_of_the_day_before_equal_one_run(tmp_path):
    days = [
        [log_line(u, v, at=t * 40_000_000) for u in (1, 2) for v in (10, 11)]
        for t in range(3)
    ]
    days[1].append(log_line(3, 10, at=40_000_001))
    history = ["1,-1,10,1,0,0,70,5", "9,-1,10,1,0,0,70,5"]
    whole = write_kuairand(
        make(tmp_path / "log"), [line for day in days for line in day], history
    )
    expected = compute_feature_table(KUAIRAND, CONFIG, str(whole))
    examples, state_dir = [], None
    for number, lines in enumerate(days):
        folder, out = tmp_path / f"day-{number}", tmp_path / f"out-{number}"
        write_kuairand(make(folder), lines, history)
        done = assert_same(KUAIRAND, CONFIG, folder, make(out), state_dir)
        examples += done.features.to_pylist()
        state_dir = str(out)
    assert sorted(map(repr, examples)) == rows(expected.features)
    assert rows(done.user_state) == rows(expected.user_state)
    assert rows(done.video_state) == rows(expected.video_state)


@pytest.mark.parametrize(
    "options",
    [
        ["--direct_running_mode=in_memory", "--direct_runner_bundle_repeat=1"],
        ["--direct_running_mode=multi_threading", "--direct_num_workers=3"],
        ["--runner=BundleBasedDirectRunner"],
    ],
)
@pytest.mark.parametrize("row_group", [1, 1000])
def test_bundles_workers_and_runner_make_no_difference(tmp_path, options, row_group):
    log = {
        "user_id": [f"u{i % 5}" for i in range(60)],
        "video_id": [f"v{i % 7}" for i in range(60)],
        "event_time_ms": [1_650_000_000_000 + i // 3 for i in range(60)],
        "note": ["same" if i > 50 else str(i) for i in range(60)],
    }
    table = pa.table(log)
    table = pa.concat_tables([table, table.slice(55)])  # and some rows twice
    log_dir = make(tmp_path / "log")
    pq.write_table(table, log_dir / "log.parquet", row_group_size=row_group)
    extra = {"name": "note", "entity": "context", "type": "categorical"}
    config = FeatureConfig(shards=3, extra=[extra], max_reject_rate=1)
    parquet, out = SourceConfig(format="parquet"), tmp_path / "out"
    features, rejects = run(parquet, config, log_dir, out, options=options)
    expected = compute_feature_table(parquet, config, str(log_dir))
    assert rows(features) == rows(expected.features)
    assert rows(rejects) == rows(expected.rejects)
    assert read_summary(str(out)) == expected.summary


def test_late_rows_are_rejects(tmp_path):
    first, second = make(tmp_path / "1"), make(tmp_path / "2")
    write_kuairand(first, [log_line(1, 10, at=9)])
    write_kuairand(second, [log_line(1, 11, at=9), log_line(1, 11, at=10)])
    assert_same(KUAIRAND, CONFIG, first, first / "out")
    done = assert_same(KUAIRAND, CONFIG, second, second / "out", str(first / "out"))
    assert done.features["avc"].to_pylist() == [1]
    assert list(done.summary.by_reason) == [
        "event_time_ms is not after the state's last impression, "
        "2022-04-25T15:20:00.009Z"
    ]


def make(folder):
    folder.mkdir()
    return folder


def test_too_many_rejects_are_reported_after_the_run(tmp_path):
    lines = ["user_id,video_id,event_time_ms", "a,x,1", ",x,1", "a,,1", ",y,2"]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    out = tmp_path / "out"
    config = FeatureConfig(shards=2)
    _, rejects = run(CSV, config, tmp_path / "log.csv", out)
    assert rejects.num_rows == 3
    summary = json.loads((out / "summary.json").read_text())
    assert summary == {
        "rows_in": 4,
        "examples": 1,
        "rejects": 3,
        "by_reason": {"user_id is missing": 2, "video_id is missing": 1},
        "last_event_ms": 1,
        "other_days": 0,
        "undated": 0,
        "left_out": 0,
    }
    with pytest.raises(RejectLimitExceeded, match="user_id is missing: 2; video_id"):
        check_rejects(read_summary(str(out)), config, str(out))


def test_an_empty_log_is_reported_after_the_run(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,video_id,event_time_ms\n")
    config = FeatureConfig()
    features, _ = run(CSV, config, tmp_path / "log.csv", tmp_path / "out")
    assert features.num_rows == 0
    with pytest.raises(EmptyLogError):
        check_rejects(read_summary(str(tmp_path / "out")), config)


def test_a_wrong_folder_fails_before_the_run(tmp_path):
    with pytest.raises(SourceError, match="there is no file or folder"):
        beam.Pipeline() | ReadImpressions(CSV, FeatureConfig(), str(tmp_path / "no"))
