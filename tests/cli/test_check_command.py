import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from cli.check_page import short_row
from cli.main import main
from tests.helpers.checked_logs import clean_log, run_config, with_column


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check")
    log = clean_log()
    for name, table in (
        ("log", log),
        ("wrong", with_column(log, "is_like", [2] * log.num_rows)),
    ):
        (folder / name).mkdir()
        pq.write_table(table, folder / name / "log.parquet")
    settings = run_config().model_dump(mode="json")
    (folder / "my.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.fixture
def check(folder):
    def run(log, *more):
        arguments = ["check", "--config", folder / "my.yaml", "--data", folder / log]
        return CliRunner().invoke(main, [*map(str, arguments), *map(str, more)])

    return run


def test_prints_the_verdict_first_and_then_the_numbers(check):
    done = check("log")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[1] == "This log can be used."
    assert "examples + 0 rejects" in lines[2]
    assert max(map(len, lines[1:])) <= 100
    for title in ("Label rates by user group", "Days", "Columns", "Lengths"):
        assert any(line.rstrip() == title for line in lines)


def test_a_log_that_a_run_would_refuse_is_exit_status_1(check):
    done = check("wrong")
    assert done.exit_code == 1
    assert "This log cannot be used as it is configured." in done.stdout
    assert "is_like is not 0 or 1" in done.stdout
    assert "log.parquet: is_like 2, user_id" in done.stdout


def test_json_has_all_numbers_and_nothing_else_is_printed(check):
    found = json.loads(check("log", "--json").stdout)
    assert found["verdict"] == "usable"
    numbers = found["numbers"]
    assert sum(day["rows"] for day in numbers["days"]) == numbers["examples"]
    assert found["cost"]["seconds"]["training"] > 0


def test_html_writes_a_page_beside_what_is_printed(check, tmp_path):
    done = check("log", "--html", tmp_path / "page.html")
    assert "This log can be used." in done.stdout
    assert "<svg" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_settings_can_be_overridden(check):
    done = check("log", "--set", "evaluation.min_scored_users=100000")
    assert "look at 2 things first" in done.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--html", "/nowhere/page.html"], "--html /nowhere/page.html cannot be"),
        (["--set", "source.format=csv"], "csv"),
    ],
)
def test_what_cannot_be_done_is_one_line(check, more, said):
    done = check("log", *more)
    assert done.exit_code == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert said in error
    assert "Traceback" not in done.output


def test_a_rejected_row_begins_with_the_column_in_question():
    row = json.dumps({"user_id": None, "is_like": 2, "text": "x" * 500})
    shown = short_row(row, "is_like is not 0 or 1")
    assert shown.startswith("is_like 2, user_id null, text xx")
    assert shown.endswith(" ...")


@pytest.mark.e2e
def test_needs_neither_tensorflow_nor_beam(folder, pytestconfig):
    code = f"""
import sys
from cli.main import main
arguments = ["check", "--config", {str(folder / "my.yaml")!r}]
arguments += ["--data", {str(folder / "log")!r}]
main(arguments, standalone_mode=False)
heavy = {{"tensorflow", "keras", "tfx", "apache_beam", "matplotlib"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
