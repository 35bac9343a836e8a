"""Days in a row."""

import datetime

import click
import pytest
from click.testing import CliRunner

from cli.backfill_command import command, run_days

DAYS = [datetime.date(2022, 4, 30), datetime.date(2022, 5, 1)]


class Runs:
    """Notes what it is to run."""

    received = None

    def __init__(self, status=0):
        self.status = status
        self.ran = []

    def __call__(self, options):
        self.ran.append(list(options))
        return self.status


def test_days_are_run_in_order_with_the_same_options(capsys):
    run = Runs()
    run_days(DAYS, ["--out", "here"], run)
    assert run.ran == [
        ["--out", "here", "--date", "2022-04-30"],
        ["--out", "here", "--date", "2022-05-01"],
    ]
    assert "== 2022-05-01 (2 of 2)" in capsys.readouterr().out


def test_a_day_that_fails_is_the_last():
    run = Runs(status=3)
    with pytest.raises(click.ClickException, match="2022-04-30 failed"):
        run_days(DAYS, [], run)
    assert run.ran == [["--date", "2022-04-30"]]


def test_days_the_wrong_way_round_are_refused(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("name: x\n")
    options = ["--config", str(config), "--data", "log", "--out", str(tmp_path)]
    days = ["--from", "2022-05-02", "--to", "2022-05-01"]
    result = CliRunner().invoke(command, [*options, *days])
    assert result.exit_code == 2
    assert "it must not be after --to" in result.output
