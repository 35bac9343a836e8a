"""What `poso features` shows: one line per step while it runs, then the counts."""

from __future__ import annotations

import time

from rich.console import Console

from preprocessing.checks.counts import LogSummary


class FeatureProgress:
    """Shows which step a run is at and how much of it is done.

    Args:
        console: Where to show it.
    """

    def __init__(self, console: Console):
        self._console = console
        self._status = console.status("")
        self._step = ""
        self._begun = self._step_begun = time.monotonic()

    def __enter__(self) -> FeatureProgress:
        self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._status.stop()

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._begun

    def update(self, step: str, done: int, parts: int) -> None:
        """Takes the engine's progress (`engine.in_threads.Progress`)."""
        if step != self._step:
            self._step, self._step_begun = step, time.monotonic()
        self._status.update(f"{step}: {done} of {parts} parts")
        if done == parts:
            seconds = time.monotonic() - self._step_begun
            self._console.print(f"{step:<8} {parts:>6,} parts {seconds:8.1f} s")


def print_summary(
    console: Console, summary: LogSummary, out_dir: str, seconds: float
) -> None:
    """Prints rows in and out, why rows were rejected, and where the output is."""
    console.print(f"{summary.equation}, in {seconds:.1f} s")
    for reason, count in summary.by_reason.items():
        line = f"  rejected {count:,}: {reason}"
        console.print(line, markup=False, soft_wrap=True)
    for name in ("features", "state", "rejects"):
        console.print(f"{name:<9} {out_dir.rstrip('/')}/{name}", soft_wrap=True)
