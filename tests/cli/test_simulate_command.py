import os

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.main import main
from preprocessing.storage.folder_lock import hold_folder, share_folder


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_simulate_writes_a_log_and_refuses_nonsense(tmp_path):
    result = invoke("simulate", "--out", tmp_path / "log", "--users", 200, "--days", 2)
    assert result.exit_code == 0
    rows = sum(
        pq.read_metadata(file).num_rows for file in (tmp_path / "log").glob("*.parquet")
    )
    assert f"wrote {rows:,} impressions of 2 days" in result.output
    refused = invoke("simulate", "--out", tmp_path / "log", "--users", 1)
    assert refused.exit_code == 1
    assert "`users` must be at least" in refused.output


def test_some_rows_break_the_contract_if_asked_for(tmp_path):
    for share in (0, 0.5):
        folder = tmp_path / str(share)
        options = ("--users", 200, "--days", 2, "--corrupt-share", share)
        assert invoke("simulate", "--out", folder, *options).exit_code == 0
        users = pq.read_table(folder)["user_id"]
        assert (users.null_count > 0) == (share > 0)


def test_a_folder_with_other_files_is_refused_before_any_work(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = invoke("simulate", "--out", tmp_path, "--users", 200, "--days", 2)
    assert result.exit_code == 1
    assert f"{tmp_path}/notes.txt: no file of a simulated log" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_log_that_is_read_or_written_is_not_replaced(tmp_path):
    log = tmp_path / "log"
    small = ("simulate", "--out", log, "--users", 200, "--days", 2)
    assert invoke(*small).exit_code == 0
    before = sorted(log.iterdir())
    for used in (hold_folder, share_folder):
        with used(log):
            result = invoke(*small)
        assert result.exit_code == os.EX_TEMPFAIL
        [line] = result.output.splitlines()
        assert f"{log} is in use by another process" in line
    assert invoke(*small[:-1], 1).exit_code == 0
    assert len(list(log.iterdir())) == len(before) - 1


@pytest.mark.parametrize("place", ["/proc/x", "/dev/null"])
def test_a_place_that_cannot_be_written_is_one_line(place):
    result = invoke("simulate", "--out", place, "--users", 200, "--days", 2)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith(f"Error: --out {place} cannot be written to: ")
