import pytest

from pipeline.training.watching import epoch_report
from pipeline.training.watching.epoch_report import EpochReport

LOGS = {"mean_loss": 0.51239, "val_like_gauc": 0.6, "val_long_view_gauc": 0.54321}


@pytest.fixture
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(epoch_report, "report_progress", said.append)
    return said


def test_a_line_says_the_loss_and_gauc_of_each_task(lines):
    logs = dict(LOGS)
    EpochReport(("long_view", "like"), 3, "model").on_epoch_end(0, logs)
    assert lines == [
        "model: epoch 1/3, loss 0.5124, GAUC long_view 0.5432, like 0.6000"
    ]
    assert logs == LOGS


def test_a_task_that_no_user_can_be_scored_on_is_said_in_words(lines):
    EpochReport(("like", "long_view"), 1, "model").on_epoch_end(
        0, {**LOGS, "val_like_gauc": float("nan")}
    )
    assert lines == [
        "model: epoch 1/1, loss 0.5124, "
        "GAUC like undefined (no user has both labels), long_view 0.5432"
    ]


def test_what_the_logs_do_not_hold_is_not_made_up(lines):
    EpochReport(("like",), 1, "plain baseline").on_epoch_end(0, None)
    [line] = lines
    assert line.startswith("plain baseline: epoch 1/1, loss nan, GAUC like undefined")
