"""The run of a day: once, in order, when its impressions are there."""

import datetime

import click
import pytest

from cli.day_run import DayRun
from pipeline.config import DaysConfig
from pipeline.examples.day_split import UnreadyDayError
from pipeline.runners.day_records import DayRecords
from preprocessing.storage.files import SourceError

DAY = datetime.date(2022, 5, 2)
BEFORE, AFTER = DAY - datetime.timedelta(1), DAY + datetime.timedelta(1)
MIDNIGHT_MS = 1_651_507_200_000  # the end of the day in China, 2022-05-02 16:00 UTC


class Pipeline:
    """Stands in for the pipeline and the log's folder.

    Attributes:
        runs: how often the pipeline was run.
        now_s: the time since the start; `sleep` moves it.
        start_ms: when that was, UTC.
    """

    def __init__(self, ready_at_s=0.0, changes_at_s=()):
        self.runs = 0
        self.now_s = 0.0
        self.start_ms = MIDNIGHT_MS
        self.has_files = True
        self._ready_at_s = ready_at_s
        self._changes_at_s = changes_at_s

    def run(self):
        self.runs += 1
        return True if self.now_s >= self._ready_at_s else self._refuse()

    def _refuse(self):
        try:
            raise UnreadyDayError("2022-05-02 has 3 impressions")
        except UnreadyDayError as error:
            raise click.ClickException(str(error)) from error

    def log_state(self):
        if not self.has_files:
            raise SourceError("log has no *.parquet")
        return str([at for at in self._changes_at_s if at <= self.now_s])

    def clock(self):
        return self.now_s

    def now_ms(self):
        return self.start_ms + 1000 * self.now_s

    def sleep(self, seconds):
        self.now_s += seconds

    def day_run(self, unready="fail"):
        days = DaysConfig(unready=unready, wait_hours=1, poll_minutes=10)
        return DayRun(
            days, 8.0, self.run, self.log_state, self.clock, self.now_ms, self.sleep
        )


@pytest.fixture
def file(tmp_path):
    return tmp_path / "days.json"


def test_a_day_is_run_once(file, capsys):
    pipeline = Pipeline()
    pipeline.day_run()(DAY, file, again=False)
    pipeline.day_run()(DAY, file, again=False)
    assert pipeline.runs == 1
    assert "2022-05-02 was run before" in capsys.readouterr().out
    pipeline.day_run()(DAY, file, again=True)
    assert pipeline.runs == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_day_before_one_that_was_run_is_refused(file, again):
    DayRecords(file).note(DAY, "done")
    pipeline = Pipeline()
    with pytest.raises(click.ClickException, match="2022-05-02 was, which starts"):
        pipeline.day_run()(BEFORE, file, again)
    assert not pipeline.runs


def test_what_a_newer_day_was_built_on_is_not_run_again(file):
    records = DayRecords(file)
    records.note(BEFORE, "done")
    records.note(DAY, "done")
    pipeline = Pipeline()
    with pytest.raises(click.ClickException, match="cannot be run here any more"):
        pipeline.day_run()(BEFORE, file, again=True)
    pipeline.day_run()(BEFORE, file, again=False)
    assert not pipeline.runs


def test_a_run_that_failed_is_not_done(file):
    pipeline = Pipeline(ready_at_s=1)
    with pytest.raises(click.ClickException, match="3 impressions"):
        pipeline.day_run()(DAY, file, again=False)
    assert DayRecords(file).of(DAY) is None


def test_a_run_that_ended_early_is_not_done(file):
    pipeline = Pipeline()
    pipeline.run = lambda: False
    pipeline.day_run()(DAY, file, again=False)
    assert DayRecords(file).of(DAY) is None


def test_a_day_that_is_not_ready_is_skipped_and_tried_again(file):
    Pipeline(ready_at_s=1).day_run("skip")(DAY, file, again=False)
    assert DayRecords(file).of(DAY).outcome == "skipped"
    Pipeline().day_run("skip")(DAY, file, again=False)
    assert DayRecords(file).of(DAY).outcome == "done"


def test_a_skipped_day_is_passed_once_the_next_was_run(file, capsys):
    records = DayRecords(file)
    records.note(DAY, "skipped")
    records.note(AFTER, "done")
    pipeline = Pipeline()
    pipeline.day_run("skip")(DAY, file, again=False)
    assert not pipeline.runs
    assert "2022-05-02 was skipped, and 2022-05-03 was run" in capsys.readouterr().out


def test_a_late_day_is_waited_for_and_read_again_when_files_change(file):
    pipeline = Pipeline(ready_at_s=2000, changes_at_s=[1000, 2000])
    pipeline.day_run("wait")(DAY, file, again=False)
    assert pipeline.runs == 3
    assert DayRecords(file).of(DAY).outcome == "done"


def test_a_day_is_not_waited_for_for_ever(file):
    pipeline = Pipeline(ready_at_s=9999)
    with pytest.raises(click.ClickException, match="3 impressions"):
        pipeline.day_run("wait")(DAY, file, again=False)
    assert pipeline.runs == 1
    assert pipeline.now_s == 3600
    assert DayRecords(file).of(DAY) is None


@pytest.mark.parametrize("unready", ["fail", "wait", "skip"])
def test_another_failure_is_neither_waited_for_nor_skipped(file, unready):
    pipeline = Pipeline()

    def fail():
        raise click.ClickException("no disk")

    pipeline.run = fail
    with pytest.raises(click.ClickException, match="no disk"):
        pipeline.day_run(unready)(DAY, file, again=False)
    assert pipeline.now_s == 0


def test_a_day_that_has_not_ended_is_not_ready(file):
    pipeline = Pipeline()
    pipeline.start_ms -= 1
    with pytest.raises(
        click.ClickException, match=r"2022-05-02 has not ended: .*UTC\+8"
    ):
        pipeline.day_run()(DAY, file, again=False)
    assert not pipeline.runs
    pipeline.day_run("wait")(DAY, file, again=False)
    assert pipeline.runs == 1
    assert pipeline.now_s == 600


@pytest.mark.parametrize("unready", ["skip", "wait"])
def test_a_log_without_files_is_no_reason_to_fail(file, unready):
    pipeline = Pipeline()

    def run():
        raise click.ClickException("log has no *.parquet")

    pipeline.has_files, pipeline.run = False, run
    if unready == "skip":
        pipeline.day_run(unready)(DAY, file, again=False)
        assert DayRecords(file).of(DAY).outcome == "skipped"
        return
    with pytest.raises(click.ClickException, match=r"no \*\.parquet"):
        pipeline.day_run(unready)(DAY, file, again=False)
    assert pipeline.now_s == 3600


def test_days_that_were_noted_meanwhile_are_kept(file):
    pipeline = Pipeline()

    def run():
        DayRecords(file).note(AFTER, "done")
        return True

    pipeline.run = run
    pipeline.day_run()(DAY, file, again=False)
    assert DayRecords(file).newest_done == AFTER
