"""`poso check` against the feature engine alone, on a simulated log."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from rich.console import Console

from benchmarks.environment import environment
from benchmarks.feature_engine.contestants import IN_THREADS, LOG_CHECK, Run, run
from benchmarks.feature_engine.logs import ROOT, Log, simulated_log
from benchmarks.interleaved import Rounds, Spread
from benchmarks.report import Report, Row, number_row, print_report

ROWS = 3_000_000
TIMES_ENGINE, MEMORY_GB = 3.0, 1.5
GB = 1e9
WIDTH = 118
NOTES = [
    "timed, of each contestant in a process of its own, in turns: read Parquet, "
    "compute, and (the engine) write Parquet or (the check) count and judge; imports "
    "are not.",
    "memory: the process's resident peak (VmHWM).",
]


@click.command()
@click.option("--rows", default=ROWS, show_default=True, help="About so many.")
@click.option("--repeats", default=3, show_default=True, help="Rounds.")
@click.option(
    "--folder",
    default=ROOT / "runs" / "benchmarks",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keeps the simulated log and gets log_check.json.",
)
def main(rows: int, repeats: int, folder: Path) -> None:
    """Time and memory of the check over those of `poso features`.

    The targets count at the default size; smaller ones are to try it.
    """
    log = simulated_log(rows, folder / "logs")
    for file in log.folder.glob("*.parquet"):
        file.read_bytes()  # into the page cache, for both alike
    runs: dict[str, list[Run]] = {IN_THREADS: [], LOG_CHECK: []}
    for turn in range(repeats):
        names = list(runs) if turn % 2 == 0 else list(reversed(runs))
        for name in names:
            runs[name].append(run(name, log.folder, folder / "out"))
    machine = environment(threads=1, jit=False)
    kept = {name: machine[name] for name in ("date", "cpu", "cores", "python")}
    title = f"Check of a log: {log.rows:,} rows"
    report = Report(title, _rows(runs, log), NOTES, kept)
    print_report(report, Console(width=WIDTH))
    report.write(folder / "log_check.json")


def _rows(runs: dict[str, list[Run]], log: Log) -> list[Row]:
    counts = log.rows >= 0.9 * ROWS
    seconds = {
        name: np.array([done.seconds for done in of]) for name, of in runs.items()
    }
    peaks = {
        name: max(done.peak_bytes for done in of) / GB for name, of in runs.items()
    }
    return [
        Row(
            f"{LOG_CHECK} / {IN_THREADS}",
            Rounds(seconds).ratio(LOG_CHECK, IN_THREADS),
            TIMES_ENGINE if counts else None,
            at_least=False,
            values={
                name: f"{Spread.of(of).median:,.1f} s" for name, of in seconds.items()
            },
        ),
        number_row(
            f"peak memory, GB: {LOG_CHECK}",
            peaks[LOG_CHECK],
            MEMORY_GB if counts else None,
            at_least=False,
            values={name: f"{peak:.2f} GB" for name, peak in peaks.items()},
        ),
    ]


if __name__ == "__main__":
    main()
