"""What `benchmarks/pipeline.py` reads of a run."""

import datetime
import io
import logging

import pytest
from rich.console import Console

from benchmarks.pipeline_run.two_days import last_two_days
from benchmarks.pipeline_run.watched_run import (
    Component,
    WatchedRun,
    finished_component,
    watch,
)
from cli.console import ComponentProgress
from simulator import SimulatorConfig, simulate, write_log


def test_components_are_read_as_the_command_prints_them():
    out = io.StringIO()
    progress = ComponentProgress(Console(file=out, width=110), 12)
    logger = logging.Logger("absl")
    logger.addHandler(progress)
    for name in ("ImpressionExampleGen", "Pusher"):
        logger.info("Component %s is running.", name)
        logger.info("Component %s is finished.", name)
    lines = [finished_component(line) for line in out.getvalue().splitlines()]
    assert lines == [("ImpressionExampleGen", 0.0), ("Pusher", 0.0)]
    assert finished_component("[ 9/12] Evaluator                48.5 s\n") == (
        "Evaluator",
        48.5,
    )
    assert finished_component("        served 192 requests; 12 s") is None


def test_a_command_is_watched_to_its_end():
    run = watch(["--help"])
    assert run.seconds > 0
    assert run.components == {}


def test_what_a_failed_command_said_is_told():
    with pytest.raises(RuntimeError, match="No such command 'walk'"):
        watch(["walk"])


def test_training_and_trial_do_not_count():
    parts = {"Trainer": 50.0, "PlainTrainer": 7.0, "ServingValidator": 3.0}
    run = WatchedRun(
        seconds=100.0,
        components={name: Component(s, 0) for name, s in parts.items()},
    )
    assert run.counted_s == 40.0


def test_the_last_two_days_of_a_log(tmp_path):
    table = simulate(SimulatorConfig(users=100))
    write_log(table, tmp_path)
    before, last = last_two_days(tmp_path)
    assert (last - before).days == 1
    assert len(list(tmp_path.glob("*.parquet"))) == 10
    newest = max(time.as_py() for time in table["event_time_ms"])
    assert (
        last
        == datetime.datetime.fromtimestamp(newest / 1000, datetime.timezone.utc).date()
    )
