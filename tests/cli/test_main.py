import subprocess
import sys
import textwrap

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, main


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def demo_config(pytestconfig):
    return pytestconfig.rootpath / "configs" / "demo.yaml"


def write_log(folder, **columns):
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "log.parquet")
    return folder


@pytest.mark.e2e
def test_help_lists_every_command_and_imports_nothing_heavy():
    script = """
        import sys
        from cli.main import main
        try:
            main(["--help"])
        except SystemExit as stop:
            assert not stop.code
        heavy = {"tensorflow", "tfx", "apache_beam", "pyarrow", "numpy", "pydantic"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert all(name in run.stdout for name in COMMANDS)


def every_command():
    """The words of each command, those of groups included."""
    for name in COMMANDS:
        found = main.get_command(click.Context(main), name)
        subcommands = getattr(found, "commands", None)
        if subcommands:
            yield from ([name, subcommand] for subcommand in subcommands)
        else:
            yield [name]


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_explanation_of_its_options(words):
    result = invoke(*words, "--help")
    assert result.exit_code == 0
    assert "Options:" in result.output
    options = [line for line in result.output.splitlines() if line.startswith("  --")]
    assert options
    assert len(result.output.split()) > 40


def test_an_unknown_command_and_a_missing_option_are_named():
    assert "No such command 'trian'" in invoke("trian").output
    assert "Missing option '--data'" in invoke("run", "--config", __file__).output


def test_a_bad_configuration_is_explained_without_a_traceback(demo_config, tmp_path):
    result = invoke(
        "run", "--config", demo_config, "--data", tmp_path, "--set", "training.epoch=3"
    )
    assert result.exit_code == 1
    assert "did you mean 'epochs'?" in result.output
    assert "Traceback" not in result.output


def test_a_data_folder_without_a_log_is_named_at_once(demo_config, tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        result = invoke("run", "--config", demo_config, "--data", folder)
        assert result.exit_code == 1
        assert str(folder) in result.output


def test_a_log_without_a_required_column_is_refused_by_name(demo_config, tmp_path):
    folder = write_log(tmp_path / "log", user_id=["u"], event_time_ms=[1])
    result = invoke("run", "--config", demo_config, "--data", folder)
    assert result.exit_code == 1
    assert "log.parquet" in result.output
    assert "video_id" in result.output


def test_a_column_of_an_unusable_type_is_refused_by_name(demo_config, tmp_path):
    folder = write_log(
        tmp_path / "log",
        user_id=["u"],
        video_id=["v"],
        event_time_ms=[["not a time"]],
        play_time_ms=[1],
        video_duration_ms=[1],
        is_like=[0],
        is_follow=[0],
        user_country=["c"],
    )
    result = invoke("run", "--config", demo_config, "--data", folder)
    assert result.exit_code == 1
    assert "event_time_ms" in result.output


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


def test_rank_refuses_what_is_no_request(tmp_path):
    file = tmp_path / "request.json"
    file.write_text('{"user": {}}')
    assert "give one of --grpc and --rest" in invoke("rank", file).output
    result = invoke("rank", file, "--grpc", "127.0.0.1:1")
    assert result.exit_code == 1
    assert "is not a rank request" in result.output


def test_rank_says_so_when_no_server_answers(tmp_path):
    file = tmp_path / "request.json"
    file.write_text('{"user": {"user_id": "u"}, "candidates": {"video_id": ["v"]}}')
    for address in (["--grpc", "127.0.0.1:1"], ["--rest", "http://127.0.0.1:1"]):
        result = invoke("rank", file, "--timeout", 2, *address)
        assert result.exit_code == 1
        assert "Error:" in result.output
        assert "Traceback" not in result.output
