"""The run of a day: once, in the order of the days, when its log is there."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pipeline.config import DaysConfig
from pipeline.examples.day_split import UnreadyDayError
from pipeline.runners.day_records import DayRecords, Outcome
from pipeline.runners.run_folder import RunFolderError
from preprocessing.checks.counts import EmptyLogError

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class DayRun:
    """Runs a day, or says why not.

    Attributes:
        days: What to do while the day's impressions are not there.
        run: Runs the pipeline for the day; whether to its end.
        log_state: What the log's files are at the moment.
        clock: Seconds.
        sleep: Waits for so many seconds.
    """

    days: DaysConfig
    run: Callable[[], bool]
    log_state: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
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
        try:
            records = DayRecords(records_file)
        except RunFolderError as error:
            raise click.ClickException(str(error)) from error
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
        if outcome is not None:
            records.note(day, outcome)

    def _run_when_ready(self, day: datetime.date) -> Outcome | None:
        """Runs the day, or skips it; None if its run was asked to end early."""
        until = self.clock() + _SECONDS_PER_HOUR * self.days.wait_hours
        while True:
            state = self.log_state()
            try:
                return "done" if self.run() else None
            except click.ClickException as error:
                if not _is_unready(error) or self.days.unready == "fail":
                    raise
                if self.days.unready == "skip":
                    click.echo(f"{day} is skipped: {error.message}")
                    return "skipped"
                self._wait(day, state, until, error)

    def _wait(
        self, day: datetime.date, state: str, until: float, error: click.ClickException
    ) -> None:
        """Returns when the log's files have changed; raises `error` if they do not."""
        pause_s = 60 * self.days.poll_minutes
        click.echo(
            f"{day} is not ready: {error.message}\nlooking every "
            f"{self.days.poll_minutes:g} minutes whether the log's files have changed, "
            f"for {self.days.wait_hours:g} hours (days.poll_minutes, days.wait_hours)"
        )
        while self.log_state() == state:
            if self.clock() + pause_s > until:
                raise error
            self.sleep(pause_s)


def _is_unready(error: BaseException) -> bool:
    """Whether a run failed because the day's impressions are not there."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UnreadyDayError | EmptyLogError):
            return True
        cause = cause.__cause__
    return False
