import errno
import json
import os
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.main import main
from preprocessing.storage.folder_lock import hold_folder

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


def test_a_folder_with_files_of_the_users_own_is_left_as_it_is(run, tmp_path):
    write_log(tmp_path / "log", 5)
    for name in ("features/extract.py", "state/notes.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("written by hand")
    before = sorted(tmp_path.rglob("*"))
    result = run("log", ".")
    assert result.exit_code == 1
    assert f"{tmp_path}/features/extract.py" in result.output
    assert "Choose another folder" in result.output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("log", "out"), [("log", "log"), ("log", "log/out"), ("out/features", "out")]
)
def test_an_output_in_the_log_is_refused_and_nothing_is_made(run, tmp_path, log, out):
    (tmp_path / log).parent.mkdir(exist_ok=True)
    write_log(tmp_path / log, 5)
    before = sorted(tmp_path.rglob("*"))
    result = run(log, out)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert f"--out {tmp_path / out}" in line
    assert f"--data {tmp_path / log}" in line
    assert sorted(tmp_path.rglob("*")) == before


def test_a_state_is_not_replaced_by_the_one_after_it(run, tmp_path):
    write_log(tmp_path / "monday", 5)
    write_log(tmp_path / "tuesday", 6)
    assert run("monday", "one").exit_code == 0
    result = run("tuesday", "one", "--state", tmp_path / "one")
    assert result.exit_code == 1
    assert f"--state {tmp_path / 'one'}" in result.output
    assert avc_of(tmp_path / "one") == [0, 0, 1]


def test_the_log_may_lie_in_the_outputs_folder(run, tmp_path):
    (tmp_path / "day").mkdir()
    write_log(tmp_path / "day" / "log", 5)
    for _ in range(2):
        assert run("day/log", "day").exit_code == 0
    assert avc_of(tmp_path / "day") == [0, 0, 1]


@pytest.mark.parametrize("out", ["taken", "taken/x", "/proc/x", "/dev/null"])
def test_a_place_that_cannot_be_written_is_one_line(run, tmp_path, out):
    write_log(tmp_path / "log", 5)
    (tmp_path / "taken").touch()
    result = run("log", out)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith(f"Error: --out {tmp_path / out} cannot be written to: ")


def test_a_disk_that_fills_up_is_one_line(run, tmp_path, monkeypatch):
    write_log(tmp_path / "log", 5)

    def write(self, table):
        raise OSError(errno.ENOSPC, "Error writing bytes to file")

    monkeypatch.setattr("preprocessing.storage.parquet.TableWriter.write", write)
    result = run("log", "out")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == (
        f"Error: --out {tmp_path / 'out'} cannot be written to: No space left on device"
    )
    monkeypatch.undo()
    assert run("log", "out").exit_code == 0


def test_an_output_in_use_is_refused(run, tmp_path):
    write_log(tmp_path / "log", 5)
    with hold_folder(tmp_path / "out"):
        result = run("log", "out")
    assert result.exit_code == os.EX_TEMPFAIL
    [line] = result.output.splitlines()
    assert line.startswith(f"Error: {tmp_path / 'out'} is in use by another process")
    assert line.endswith("wait until it has finished, or choose another folder")
