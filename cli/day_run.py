"""The run of a day: once, in the order of the days, when its log is there."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import numpy as np

from pipeline.config import DaysConfig
from pipeline.examples.day_split import UnreadyDayError
from pipeline.runners.day_records import DayRecords, Outcome
from pipeline.runners.metadata_file import RunFolderError
from preprocessing.arrays.days import Calendar, date_of, day_of, local_day
from preprocessing.checks.counts import EmptyLogError
from preprocessing.storage.files import SourceError

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class DayRun:
    """Runs a day, or says why not.

    Attributes:
        days: What to do while the day's impressions are not there.
        calendar: Where days begin (`features.calendar`).
        run: Runs the pipeline for the day; whether to its end.
        log_state: What the log's files are at the moment.
        clock: Seconds.
        now_ms: The time now, UTC.
        sleep: Waits for so many seconds.
    """

    days: DaysConfig
    calendar: Calendar
    run: Callable[[], bool]
    log_state: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    now_ms: Callable[[], float] = lambda: 1000 * time.time()
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, day: datetime.date, records_file: Path, again: bool) -> None:
        """Runs the day, unless it was run before.

        Args:
            day: The day to evaluate on.
            records_file: The run folder's `days.json`.
            again: Whether to run a day that is done; only the newest can be.

        Raises:
            click.ClickException: The run failed, the day is not ready, or later days
                were run before it.
        """
        records = _records(records_file)
        record, newest = records.of(day), records.newest_done
        if record is not None and record.outcome == "done" and not again:
            hint = "; --again runs it anew" if day == newest else ""
            click.echo(f"{day} was run before ({record.ended}): nothing to do{hint}")
            return
        if newest is not None and day < newest:
            if record is not None and record.outcome == "skipped":
                click.echo(f"{day} was skipped, and {newest} was run: nothing to do")
                return
            raise click.ClickException(
                f"{day} cannot be run here any more: {newest} was, which starts from "
                "the days before it. Give another --out, or a later --date"
            )
        outcome = self._run_when_ready(day)
        if outcome is not None:  # another day may have been noted meanwhile
            _records(records_file).note(day, outcome)

    def _run_when_ready(self, day: datetime.date) -> Outcome | None:
        """Runs the day, or skips it; None if its run was asked to end early."""
        until = self.clock() + _SECONDS_PER_HOUR * self.days.wait_hours
        while True:
            state = self._files()
            try:
                self._check_over(day)
                return "done" if self.run() else None
            except (click.ClickException, UnreadyDayError) as error:
                reason = getattr(error, "message", str(error))
                # Without files there is no log yet, whatever else is wrong with it.
                if state and not _is_unready(error):
                    raise
                if self.days.unready == "skip":
                    click.echo(f"{day} is skipped: {reason}")
                    return "skipped"
                if self.days.unready == "fail":
                    raise click.ClickException(reason) from error
                self._wait(day, state, until, reason)

    def _files(self) -> str:
        """What the log's files are; empty where there are none yet."""
        try:
            return self.log_state()
        except SourceError:
            return ""

    def _check_over(self, day: datetime.date) -> None:
        """Checks that no more impressions of the day can come.

        Raises:
            UnreadyDayError: The day has not ended.
        """
        today = local_day(np.array([self.now_ms()], np.int64), self.calendar)[0]
        if day_of(day) >= today:
            raise UnreadyDayError(
                f"{day} has not ended: days are those of "
                f"{_place_of(self.calendar)}, where it is {date_of(int(today))}"
            )

    def _wait(self, day: datetime.date, state: str, until: float, reason: str) -> None:
        """Returns when the log's files, or the date, have changed.

        Raises:
            click.ClickException: They do not in time.
        """
        pause_s = 60 * self.days.poll_minutes
        click.echo(
            f"{day} is not ready: {reason}\nlooking every {self.days.poll_minutes:g} "
            f"minutes, for {self.days.wait_hours:g} hours (days.poll_minutes, "
            "days.wait_hours)"
        )
        over = self._is_over(day)
        while self._files() == state and self._is_over(day) == over:
            if self.clock() + pause_s > until:
                raise click.ClickException(reason)
            self.sleep(pause_s)

    def _is_over(self, day: datetime.date) -> bool:
        try:
            self._check_over(day)
        except UnreadyDayError:
            return False
        return True


def _records(file: Path) -> DayRecords:
    try:
        return DayRecords(file)
    except RunFolderError as error:
        raise click.ClickException(str(error)) from error


def _place_of(calendar: Calendar) -> str:
    return calendar if isinstance(calendar, str) else f"UTC{calendar:+g}"


def _is_unready(error: BaseException) -> bool:
    """Whether a run failed because the day's impressions are not there."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UnreadyDayError | EmptyLogError):
            return True
        cause = cause.__cause__
    return False
