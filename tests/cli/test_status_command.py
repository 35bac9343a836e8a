import json
import sqlite3

import pytest
from click.testing import CliRunner

from cli.main import main
from pipeline.runners.run_paths import RunPaths
from preprocessing.storage.folder_lock import hold_folder
from tests.helpers.run_history import RunHistory, daily_run

METRICS = {
    "data": {"rows_in": 12345, "examples": 12000, "rejects": 345},
    "gauc": [
        {"task": "like", "slice": "all", "gauc": {"model": 0.71}},
        {"task": "like", "slice": "new", "gauc": {"model": None}},
    ],
    "blessed": True,
}


def status(*arguments):
    return CliRunner().invoke(main, ["status", *map(str, arguments)])


@pytest.fixture
def out(tmp_path):
    """A day that was pushed and one that failed."""
    paths = RunPaths(tmp_path / "out")
    paths.pipeline_root.mkdir(parents=True)
    history = RunHistory(paths.metadata, paths.pipeline_root)
    files = {"ReportGen": {"metrics.json": METRICS}}
    daily_run(history, "2022-05-01", version="17", files=files)
    daily_run(history, "2022-05-02", until="Trainer")
    (paths.serving / "17").mkdir(parents=True)
    return paths.out


def test_a_row_per_run_and_what_serves(out):
    result = status("--out", out)
    assert result.exit_code == 0
    header, first, second, *_, last = result.output.splitlines()
    assert header.split()[:2] == ["day", "began"]
    assert first.startswith("2022-05-01")
    assert first.split()[-6:] == ["12,345", "345", "0.7100", "/", "-", "17"]
    assert second.startswith("2022-05-02")
    assert second.endswith("failed: Trainer")
    assert last == "serves: version 17 (day 2022-05-01, run run-of-2022-05-01)"


def test_json_has_the_same(out):
    with hold_folder(out, "poso run"):
        found = json.loads(status("--out", out, "--json").output)
    assert found["held_by"].startswith("poso run (process ")
    assert found["serves"] == {
        "version": "17",
        "run": "run-of-2022-05-01",
        "day": "2022-05-01",
    }
    first, second = found["runs"]
    assert (first["rows_in"], first["gauc"]) == (
        12345,
        {"like": {"all": 0.71, "new": None}},
    )
    assert (second["state"], second["component"]) == ("failed", "Trainer")
    assert json.loads(status("--out", out, "--json").output)["held_by"] is None


def test_the_newest_runs_alone(out):
    [run] = json.loads(status("--out", out, "--json", "--last", 1).output)["runs"]
    assert run["day"] == "2022-05-02"


def test_who_works_in_the_folder_is_named(out):
    with hold_folder(out, "poso run"):
        assert "in use by poso run (process " in status("--out", out).output


def test_a_run_without_an_end_is_running_while_the_folder_is_held(out):
    history = RunHistory(RunPaths(out).metadata, RunPaths(out).pipeline_root)
    history.begin("third")
    history.add("ImpressionExampleGen", {"examples": "Examples"})
    with hold_folder(out, "poso run"):
        going = status("--out", out).output
    assert "running: ImpressionExampleGen" in going
    assert "stopped: ImpressionExampleGen" in status("--out", out).output


def test_a_folder_without_runs_is_one_line(tmp_path):
    result = status("--out", tmp_path)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert f"{tmp_path} holds no run" in line
    paths = RunPaths(tmp_path)
    RunHistory(paths.metadata)
    assert "holds no run yet" in status("--out", tmp_path).output


@pytest.mark.parametrize("holds", [b"", b"by hand", None])
def test_records_that_are_none_are_one_line(tmp_path, holds):
    metadata = RunPaths(tmp_path).metadata
    if holds is None:
        sqlite3.connect(metadata).executescript("CREATE TABLE mine (id INTEGER)")
    else:
        metadata.write_bytes(holds)
    before = metadata.read_bytes()
    result = status("--out", tmp_path)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert (
        f"{metadata} {'is empty' if holds == b'' else 'was not made by a run'}" in line
    )
    assert metadata.read_bytes() == before
