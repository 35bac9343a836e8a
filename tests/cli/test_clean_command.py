import os

import pytest
from click.testing import CliRunner

from cli.main import main
from pipeline.runners.run_paths import RunPaths
from preprocessing.storage.folder_lock import hold_folder
from tests.helpers.run_history import RunHistory, daily_run


def clean(*arguments):
    return CliRunner().invoke(main, ["clean", *map(str, arguments)])


def files(folder):
    return {path for path in folder.rglob("*") if path.name == "data"}


@pytest.fixture
def out(tmp_path):
    paths = RunPaths(tmp_path / "out")
    paths.pipeline_root.mkdir(parents=True)
    history = RunHistory(paths.metadata, paths.pipeline_root)
    before = None
    for day in range(1, 5):
        before = daily_run(history, f"2022-05-0{day}", earlier=before, version=str(day))
        (paths.serving / str(day)).mkdir(parents=True)
    return paths.out


def test_a_dry_run_says_what_and_how_much_and_removes_nothing(out):
    before = files(out)
    (out / "pipeline" / "Trainer" / ".system" / "executor_execution" / "3").mkdir(
        parents=True
    )
    lines = clean("--out", out, "--keep", 1, "--dry-run").output.splitlines()
    assert files(out) == before
    assert lines == [
        "would remove artifacts of 3 runs (2022-05-01 to 2022-05-03): Evaluator 2, "
        "ImpressionExampleGen 2, Pusher 3, Trainer 2, Transform 3",
        "would remove pushed versions: 1, 2, 3",
        "0.0 MB in 16 folders",
    ]


def test_it_removes_what_it_says(out):
    said = clean("--out", out, "--keep", 1).output
    assert "removes pushed versions: 1, 2, 3" in said
    assert [place.name for place in (out / "serving").iterdir()] == ["4"]
    assert clean("--out", out, "--keep", 1).output == "nothing to remove\n"


def test_a_run_that_is_going_on_keeps_it_away(out):
    before = files(out)
    with hold_folder(out, "poso run"):
        result = clean("--out", out, "--keep", 1)
    assert result.exit_code == os.EX_TEMPFAIL
    [line] = result.output.splitlines()
    assert f"{out} is in use by poso run (process " in line
    assert files(out) == before


def test_a_folder_without_runs_is_one_line(tmp_path):
    result = clean("--out", tmp_path)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert f"{tmp_path} holds no run" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.parametrize("holds", [b"", b"by hand"])
def test_records_that_are_none_are_one_line(tmp_path, holds, options):
    metadata = RunPaths(tmp_path).metadata
    metadata.write_bytes(holds)
    result = clean("--out", tmp_path, *options)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert f"{metadata} {'was not made by a run' if holds else 'is empty'}" in line
    assert metadata.read_bytes() == holds
