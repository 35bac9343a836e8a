import os
import subprocess
import sys
import textwrap

import click
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, main


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


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
        if isinstance(found, click.Group):
            subcommands = found.list_commands(click.Context(found))
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


@pytest.mark.e2e
def test_a_folder_that_is_gone_is_one_line(tmp_path, pytestconfig):
    command = (
        f"cd {tmp_path}/gone && rmdir ../gone && exec {sys.executable} -m cli.main"
    )
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["bash", "-c", f"{command} simulate --out x"],
        env={**os.environ, "PYTHONPATH": str(pytestconfig.rootpath)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "was started in is gone" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.e2e
def test_warnings_that_another_project_makes_errors_stop_nothing(pytestconfig):
    code = "import cli.main, warnings; warnings.warn('old', UserWarning); print('on')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONWARNINGS": "error"},
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "on\n", done.stderr


@pytest.mark.e2e
def test_python_without_docstrings_is_refused_with_what_to_do(tmp_path, pytestconfig):
    done = subprocess.run(
        [sys.executable, "-OO", "-m", "cli", "simulate", "--out", str(tmp_path)],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "unset PYTHONOPTIMIZE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "simulate --users 100 --days 2 --out {}/x",
        "compile --config {config} --data gs://b/l --pipeline-root gs://b/r --image i "
        "--output {}/x/p.yaml",
        "run --config {config} --data {log} --out {}/x",
    ],
    ids=lambda words: words.split()[0],
)
def test_a_place_that_cannot_be_written_is_one_line(words, pytestconfig, tmp_path):
    file = tmp_path / "taken"
    file.touch()
    log = tmp_path / "log"
    invoke("simulate", "--users", 100, "--days", 2, "--out", log)
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    result = invoke(*words.format(file, config=config, log=log).split())
    assert result.exit_code == 1
    assert str(file) in result.output
    assert len(result.output.splitlines()) == 1


def test_an_unknown_command_and_a_missing_option_are_named():
    assert "No such command 'trian'" in invoke("trian").output
    assert "Missing option '--config'" in invoke("run", "--data", "log").output
    assert "one of --data and --features" in invoke("run", "--config", __file__).output
