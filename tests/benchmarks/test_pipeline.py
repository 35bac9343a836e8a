"""What `benchmarks/pipeline.py` reads of a run."""

import io
import logging

import pytest
from rich.console import Console

from benchmarks.feature_engine.logs import Log
from benchmarks.pipeline import Measured
from benchmarks.pipeline_run.watched_run import (
    Component,
    WatchedRun,
    finished_component,
    watch,
)
from cli.console import ComponentProgress


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


def test_training_and_trial_do_not_count(tmp_path):
    parts = {"Trainer": 50.0, "PlainTrainer": 7.0, "ServingValidator": 3.0}
    run = WatchedRun(
        seconds=100.0,
        components={name: Component(s, 0) for name, s in parts.items()},
    )
    assert Measured(Log(tmp_path, 10), run, run, {}).counted_s == 40.0
