from types import SimpleNamespace

import pytest
import tensorflow as tf

from pipeline.progress import LiveProgress
from pipeline.training.watching import step_report
from pipeline.training.watching.step_report import StepReport


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Loss:
    """A metric on a device, which counts how often it is read."""

    reads = 0

    def __init__(self, value):
        self.value = value

    def result(self):
        Loss.reads += 1
        return self.value


MODEL = SimpleNamespace(
    multi_task_loss=SimpleNamespace(mean_loss=Loss(0.51239), means={"like": Loss(0.25)})
)
LOSSES = "loss 0.5124, like 0.2500"


@pytest.fixture
def said(monkeypatch):
    Loss.reads = 0
    lines = []
    monkeypatch.setattr(step_report, "report_progress", lines.append)
    monkeypatch.setattr(step_report, "report_live", lines.append)
    return lines


@pytest.fixture
def watched(monkeypatch):
    def is_watched(value):
        monkeypatch.setattr(step_report, "is_watched", lambda: value)

    is_watched(False)
    return is_watched


def epoch(report, number, batches, seconds, first=0):
    """An epoch of batches that take so many seconds each."""
    report.set_model(MODEL)
    report.on_epoch_begin(number)
    for batch in range(first, batches):
        report._clock.now += seconds
        report.on_train_batch_end(batch, {"loss": tf.constant(9.0)})
    report.on_epoch_end(number)


@pytest.mark.usefixtures("watched")
def test_a_line_every_half_minute_where_nobody_watches(said):
    report = StepReport("model", 2, 10, examples=195, clock=Clock())
    epoch(report, 0, 20, seconds=10)
    # Steps 4, 7, 10, 13, 16 and 19: 3 more steps each, 1 example a second.
    lines = [line for line in said if line is not None]
    assert len(lines) == 6
    assert Loss.reads == 6 * 2
    assert lines[0] == (
        f"model: epoch 1/2: 40 of 195 examples, 1 examples/s, 0:05:50 left, {LOSSES}"
    )
    assert lines[-1].startswith("model: epoch 1/2: 190 of 195 examples")


@pytest.mark.usefixtures("watched")
def test_short_epochs_say_nothing(said):
    epoch(StepReport("model", 2, 10, clock=Clock()), 0, 20, seconds=1)
    assert said == [None]
    assert Loss.reads == 0


def test_a_terminal_is_shown_every_half_second(said, watched):
    watched(True)
    report = StepReport("model", 1, 10, examples=200, clock=Clock())
    epoch(report, 0, 20, seconds=0.25)
    assert len(said) == 10
    assert said[0] == LiveProgress(
        "model: epoch 1/1",
        30,
        200,
        ("40 examples/s", "0:00:04 left", "loss 0.5124", "like 0.2500"),
    )
    assert said[-1] is None


@pytest.mark.usefixtures("watched")
def test_the_first_epoch_shows_how_long_the_next_ones_are(said):
    report = StepReport("model", 2, 10, clock=Clock())
    epoch(report, 0, 5, seconds=10)
    epoch(report, 1, 5, seconds=10)
    first, _, second, _ = said
    assert first == f"model: epoch 1/2: 40 examples, 1 examples/s, {LOSSES}"
    assert second.startswith("model: epoch 2/2: 40 of 50 examples, ")
    assert "0:00:10 left" in second


@pytest.mark.usefixtures("watched")
def test_the_rate_after_a_restart_is_of_the_steps_since(said):
    report = StepReport("model", 1, 10, examples=1000, clock=Clock())
    epoch(report, 0, 94, seconds=10, first=90)
    assert said[0].startswith("model: epoch 1/1: 940 of 1,000 examples, 1 examples/s, ")


@pytest.mark.usefixtures("watched")
def test_an_epoch_resumed_at_its_end_does_not_tell_how_long_epochs_are(said):
    report = StepReport("model", 3, 10, clock=Clock())
    epoch(report, 0, 5, seconds=10, first=5)
    epoch(report, 1, 5, seconds=10)
    epoch(report, 2, 5, seconds=10)
    _, second, _, third, _ = said
    assert second.startswith("model: epoch 2/3: 40 examples, ")
    assert third.startswith("model: epoch 3/3: 40 of 50 examples, ")
