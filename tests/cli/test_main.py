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
