import json
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.main import main

DAY = 86_400_000


class Result(NamedTuple):
    exit_code: int
    output: str


@pytest.fixture
def run(pytestconfig, tmp_path, capfd):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"

    def do(log, out, *more):
        arguments = ["--config", config, "--data", tmp_path / log]
        arguments += ["--out", tmp_path / out, *more]
        result = CliRunner().invoke(main, ["features", *map(str, arguments)])
        printed = capfd.readouterr().out  # what is shown while libraries are silenced
        return Result(result.exit_code, printed + result.output)

    return do


def write_log(folder, day, users=("a", "b", "a"), **more):
    rows = len(users)
    folder.mkdir()
    columns = {
        "user_id": pa.array(users, pa.string()),
        "video_id": pa.array(["v"] * rows, pa.string()),
        "event_time_ms": [day * DAY + i for i in range(rows)],
        "play_time_ms": [700] * rows,
        "video_duration_ms": [1000] * rows,
        "is_like": [0] * rows,
        "is_follow": [0] * rows,
        "user_country": ["c"] * rows,
        **{name: [value] * rows for name, value in more.items()},
    }
    pq.write_table(pa.table(columns), folder / "log.parquet")


def avc_of(folder):
    return sorted(pq.read_table(folder / "features")["avc"].to_pylist())


def test_builds_a_table_a_state_and_rejects(run, tmp_path):
    write_log(tmp_path / "log", 5, ["a", "b", "a", "a", None])
    result = run("log", "out", "--set", "features.max_reject_rate=0.5")
    assert result.exit_code == 0, result.output
    assert "5 rows in = 4 examples + 1 rejects" in result.output
    assert "rejected 1: user_id is missing" in result.output
    assert avc_of(tmp_path / "out") == [0, 0, 1, 2]
    reject = pq.read_table(tmp_path / "out" / "rejects").to_pylist()[0]
    assert json.loads(reject["row"])["event_time_ms"] == 5 * DAY + 4
    assert reject["source"] == "log.parquet"


@pytest.mark.parametrize(
    "more",
    [
        [],
        pytest.param(
            ["--runner", "DirectRunner", "--beam-arg=--direct_running_mode=in_memory"],
            marks=pytest.mark.e2e,
        ),
    ],
)
def test_continues_the_state_of_the_day_before(run, tmp_path, more):
    write_log(tmp_path / "monday", 5)
    write_log(tmp_path / "tuesday", 6)
    assert run("monday", "one", *more).exit_code == 0
    result = run("tuesday", "two", "--state", tmp_path / "one", *more)
    assert result.exit_code == 0, result.output
    assert "through 1970-01-06T00:00:00.002Z" in result.output
    assert avc_of(tmp_path / "two") == [1, 2, 3]


def test_a_longer_history_than_the_states_is_noted(run, tmp_path):
    write_log(tmp_path / "monday", 5)
    write_log(tmp_path / "tuesday", 6)
    run("monday", "one", "--set", "features.history_length=1")
    result = run("tuesday", "two", "--state", tmp_path / "one")
    assert "note: the state lists a user's last 1 impressions" in result.output


def test_columns_that_are_not_used_are_noted(run, tmp_path):
    write_log(tmp_path / "log", 5, avc=9, user_group="vip", long_view=0, page=1)
    printed = run("log", "out").output
    for note in (
        "note: columns avc, user_group of the log are not used: features of these "
        "names are computed\n",
        "note: column long_view of the log is not used: the label of this name is "
        "computed\n",
    ):
        assert printed.count(note) == 1
    assert avc_of(tmp_path / "out") == [0, 0, 1]


def test_a_log_of_the_contracts_columns_has_no_note(run, tmp_path):
    write_log(tmp_path / "log", 5)
    assert "note:" not in run("log", "out").output


def test_a_row_without_a_masked_label_counts(run, tmp_path):
    write_log(tmp_path / "log", 5, is_like=None)
    masked = ("--set", "features.labels.like.missing=mask")
    result = run("log", "out", *masked)
    assert "3 rows in = 3 examples + 0 rejects" in result.output
    table = pq.read_table(tmp_path / "out" / "features")
    assert table["like"].to_pylist() == [None] * 3
    assert avc_of(tmp_path / "out") == [0, 0, 1]
    assert "is_like is missing: 3" in run("log", "other").output


def test_too_many_rejects_fail_the_run_and_are_kept(run, tmp_path):
    write_log(tmp_path / "log", 5, ["a", None, None])
    result = run("log", "out")
    assert result.exit_code == 1
    assert "2 of 3 rows (66.7%) break the impression-log contract" in result.output
    assert "user_id is missing: 2" in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out" / "summary.json").exists()
    kept = pq.read_table(tmp_path / "out" / "_incomplete" / "rejects")
    assert kept.num_rows == 2


def test_what_cannot_be_used_is_named(run, tmp_path):
    assert "no file or folder" in run("log", "out").output
    write_log(tmp_path / "log", 5)
    result = run("log", "out", "--state", tmp_path / "log")
    assert result.exit_code == 1
    assert "holds no state: expected state.json" in result.output


def test_threads_are_not_for_beam(run):
    result = run("log", "out", "--threads", 2, "--runner", "DirectRunner")
    assert result.exit_code == 2
    assert "--threads is not for Beam" in result.output
