"""`poso init` on logs in ten layouts, none of which it was told about."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.init_command import command, run_name
from pipeline.config import load_config
from preprocessing.contract.column_mapping import ColumnConfig
from preprocessing.engine.write_table import write_feature_table
from tests.helpers.foreign_logs import LAYOUTS
from tests.helpers.small_run import SETS, printed_by


def init(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def initialised(data, config):
    """The configuration that the command writes for a log."""
    result = init("--data", data, "--out", config)
    assert result.exit_code == 0, result.output
    return load_config(config)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_foreign_log_is_read_as_it_was_written(name, tmp_path):
    layout = LAYOUTS[name]
    written = layout.write(tmp_path / name)
    config = initialised(tmp_path / name, tmp_path / "guess.yaml")
    expected = {
        column: ColumnConfig.model_validate(origin)
        for column, origin in layout.columns.items()
    }
    received = {column: config.source.columns.get(column) for column in expected}
    assert received == expected
    assert config.task_names == layout.labels
    log, out = str(tmp_path / name), str(tmp_path / "out")
    summary = write_feature_table(config.source, config.features, log, out)
    assert summary.rows_in == written.rows
    assert summary.examples == written.rows - written.rejects
    table = pq.read_table(tmp_path / "out" / "features")
    sums = {label: sum(table[label].to_pylist()) for label in written.positives}
    assert sums == written.positives


def test_mind_needs_a_mapping_only(tmp_path):
    """The configuration that comes with the project, on made-up rows of that layout."""
    written = LAYOUTS["mind"].write(tmp_path / "mind")
    config = load_config("configs/mind.yaml")
    log, out = str(tmp_path / "mind"), str(tmp_path / "out")
    summary = write_feature_table(config.source, config.features, log, out)
    assert summary.rows_in == written.rows
    assert summary.examples == written.rows - written.rejects
    table = pq.read_table(tmp_path / "out" / "features")
    assert sum(table["click"].to_pylist()) == written.positives["clicked"]


# Each takes the better part of a minute: `make test-layouts` runs all.
ALWAYS_RUN = ("mind",)
RUN_ALONE = pytest.mark.skipif(
    "POSO_TEST_LAYOUTS" not in os.environ, reason="make test-layouts runs it"
)


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        name if name in ALWAYS_RUN else pytest.param(name, marks=RUN_ALONE)
        for name in LAYOUTS
    ],
)
def test_a_foreign_log_runs_without_a_change(name, tmp_path):
    LAYOUTS[name].write(tmp_path / name)
    config = tmp_path / "guess.yaml"
    initialised(tmp_path / name, config)
    places = ["--data", tmp_path / name, "--out", tmp_path / "run"]
    printed = printed_by("run", "--config", config, *places, *SETS)
    assert "report" in printed
    assert list((tmp_path / "run" / "serving").glob("[0-9]*"))


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path):
    LAYOUTS["taobao"].write(tmp_path / "log")
    config = tmp_path / "mine.yaml"
    config.write_text("mine", encoding="utf-8")
    result = init("--data", tmp_path / "log", "--out", config)
    assert result.exit_code == 1
    assert "--force replaces it" in result.output
    assert config.read_text(encoding="utf-8") == "mine"
    assert init("--data", tmp_path / "log", "--out", config, "--force").exit_code == 0
    assert load_config(config).name == "log"


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"item_id": [1, 2], "ts": [1.6e9, 1.6e9 + 1], "click": [0, 1]}, "the user"),
        ({"user_id": [1, 2], "ts": [1.6e9, 1.6e9 + 1], "click": [0, 1]}, "the item"),
        ({"user_id": [1, 2], "item_id": [1, 2], "click": [0, 1]}, "says when"),
        (
            {"user_id": [1, 2], "item_id": [1, 2], "ts": [1.6e9, 1.6e9 + 1]},
            "could be a label",
        ),
    ],
)
def test_what_a_log_lacks_is_said_in_one_line(columns, problem, tmp_path):
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    result = init("--data", tmp_path / "log.parquet", "--out", tmp_path / "c.yaml")
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert problem in line
    assert "looked for" in line
    assert not (tmp_path / "c.yaml").exists()


def test_questions_need_a_terminal(tmp_path):
    result = init("--data", tmp_path, "--interactive", "--out", tmp_path / "c.yaml")
    assert result.exit_code == 2
    assert "asks on a terminal" in result.output


def test_what_is_answered_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("cli.init_command.on_terminal", lambda: True)
    columns = {
        "member_id": [n % 7 for n in range(200)],
        "customer_id": [n % 9 for n in range(200)],
        "item_id": [n % 5 for n in range(200)],
        "ts": [1_600_000_000 + 4000 * n for n in range(200)],
        "click": [n % 2 for n in range(200)],
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    places = [
        "--data",
        str(tmp_path / "log.parquet"),
        "--out",
        str(tmp_path / "c.yaml"),
    ]
    result = CliRunner().invoke(command, [*places, "--interactive"], input="2\n")
    assert result.exit_code == 0, result.output
    assert "Which column is user_id?" in result.output
    second = result.output.split("  2  ")[1].split(":")[0]
    assert load_config(tmp_path / "c.yaml").source.columns["user_id"].column == second


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("logs/May 2022", "may-2022"),
        ("s3://bucket/Feed_v2/", "feed-v2"),
        ("2022-05-01.csv", "log-2022-05-01"),
    ],
)
def test_runs_are_called_like_the_folder(data, name):
    assert run_name(data) == name
