import pytest
from click.testing import CliRunner

from cli.experiment_command import EXPERIMENTS
from cli.main import main


def test_help_lists_every_experiment():
    printed = CliRunner().invoke(main, ["experiment", "--help"]).output
    assert all(f"  {name} " in printed for name in EXPERIMENTS)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_found_by_its_name(name):
    result = CliRunner().invoke(main, ["experiment", name, "--help"])
    assert result.exit_code == 0
    assert "Options:" in result.output


def test_an_unknown_experiment_is_one_line():
    result = CliRunner().invoke(main, ["experiment", "seance"])
    assert result.exit_code == 2
    assert "No such command 'seance'" in result.output
