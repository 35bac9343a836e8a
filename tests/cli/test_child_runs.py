"""Runs as processes: what signals do to them, and which `poso` they are of."""

import os
import signal
import subprocess
import sys

import pytest

from cli.child_runs import ChildRuns
from pipeline.module_process import module_command

BACKFILL = """
import datetime, sys
from cli.backfill_command import run_days
from cli.child_runs import ChildRuns
import click

days = [datetime.date(2022, 4, 30), datetime.date(2022, 5, 1)]

@click.command()
def command():
    with ChildRuns([sys.executable, "-c", sys.argv[1]]) as run:
        run_days(days, [], run)

command([])
"""

# A training: it saves when it is asked to end.
RUN = """
import signal, sys

def save(number, _):
    print("saved", sys.argv[-1], flush=True)
    raise SystemExit(128 + number)

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, save)
print("training", flush=True)
while True:
    signal.pause()
"""


@pytest.mark.e2e
@pytest.mark.parametrize("number", ChildRuns.SIGNALS)
def test_a_signal_reaches_the_run_which_is_waited_for(number, pytestconfig):
    with subprocess.Popen(
        [sys.executable, "-c", BACKFILL, RUN],
        stdout=subprocess.PIPE,
        text=True,
        cwd=pytestconfig.rootpath,
    ) as process:
        said = iter(process.stdout)
        while next(said) != "training\n":
            pass
        process.send_signal(number)
        assert list(said) == ["saved 2022-04-30\n"]  # and the next day did not begin
    assert process.returncode == 128 + number


def test_what_was_ignored_goes_on_being_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ChildRuns() as runs:
            signal.raise_signal(signal.SIGHUP)
        assert runs.received is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nothing_is_started_after_a_signal_and_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with ChildRuns(["no such program"]) as runs:
        signal.raise_signal(signal.SIGTERM)
        assert runs([]) == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.e2e
def test_it_is_this_poso_that_runs_in_any_folder(tmp_path):
    (tmp_path / "cli.py").write_text("raise SystemExit('of somebody else')")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [*module_command("cli"), "run", "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: poso run [OPTIONS]")
