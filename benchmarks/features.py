"""The feature engine against element-wise Beam and against polars."""

from __future__ import annotations

import importlib.metadata
import shutil
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from benchmarks.environment import environment
from benchmarks.feature_engine.contestants import (
    ELEMENT_WISE,
    IN_BEAM,
    IN_THREADS,
    MAPPED,
    POLARS,
    POLARS_WITH_RATES,
    THREADS_WITH_RATES,
    WITH_RATES,
    Run,
    run,
)
from benchmarks.feature_engine.logs import ROOT, Log, renamed_log, simulated_log
from benchmarks.feature_engine.same_output import check_same, written
from benchmarks.feature_engine.serving_graph import transform_rounds
from benchmarks.interleaved import Rounds, Spread
from benchmarks.report import Report, Row, number_row, print_report

SMALLEST, SMALL, MIDDLE, LARGE = 1_000, 200_000, 1_000_000, 4_000_000
FASTER_THAN_ELEMENT_WISE, TIMES_POLARS, GROWTH, MEMORY_GB = 15.0, 2.5, 1.3, 3.0
WITH_A_MAPPING = 1.05
RATES_TIMES, RATES_TIMES_POLARS, RATES_MEMORY_GB = 2.0, 1.5, 2.0
BATCHES = (1, 200)
GB = 1e9
WIDTH = 118
NOTES = [
    "timed, of each contestant in a process of its own: read Parquet, compute, write "
    "Parquet (snappy); imports are not, the start of a Beam pipeline is.",
    "engine in Beam: BuildFeatures on the DirectRunner, the figure against "
    "element-wise Beam. poso features: the same engine in threads, the figure against "
    "polars; it also writes the state.",
    "all contestants wrote the same features and the same rejects: rows were hashed "
    "and the hashes added up, after the first round of each size.",
    "with a mapping: poso features on the same log under other names, its times in "
    "microseconds, with a filter that every row passes (source.columns, source.where).",
    "with rates: also the rates of the default subjects (videos, authors, tags, users, "
    "users x authors, users x tags) of all four labels, 48 columns more; polars counts "
    "them with window functions.",
    "start of Beam: the engine in Beam on a log of about 4,000 impressions.",
    "memory: the process's resident peak (VmHWM).",
]

Runs = dict[str, list[Run]]


@click.command()
@click.option("--repeats", default=3, show_default=True, help="Rounds of each size.")
@click.option(
    "--scale",
    default=1.0,
    show_default=True,
    help="Shrinks all logs, to try the script; figures count at 1 only.",
)
@click.option(
    "--folder",
    default=ROOT / "runs" / "benchmarks",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keeps the simulated logs (about 0.2 GB) and gets features.json.",
)
def main(repeats: int, scale: float, folder: Path) -> None:
    """Time and memory of the feature engine on simulated logs of 0.2, 1 and 4 M rows.

    Contestants take turns; element-wise Beam takes part in one round only, for it
    needs minutes. The figures are printed beside their targets and written to
    features.json. Needs about 9 GB of memory (the simulator, once) and ten minutes.
    """
    console = Console(width=WIDTH)
    logs = {
        size: simulated_log(round(size * scale), folder / "logs")
        for size in (SMALLEST, SMALL, MIDDLE, LARGE)
    }
    turns = {
        SMALLEST: (IN_BEAM,),
        SMALL: (IN_BEAM, IN_THREADS, POLARS, *WITH_RATES),
        MIDDLE: (IN_BEAM, IN_THREADS, POLARS, ELEMENT_WISE, *WITH_RATES),
        LARGE: (IN_BEAM, IN_THREADS, MAPPED, POLARS, *WITH_RATES),
    }
    runs = {
        size: _take_turns(names, logs[size], folder / "out", repeats, console)
        for size, names in turns.items()
    }
    shutil.rmtree(folder / "out")
    rows = [
        *_ratio_rows(runs),
        *_growth_rows(runs, logs),
        *_memory_rows(runs),
        *_serving_rows(logs[SMALL]),
    ]
    title = "Feature engine: simulated logs of " + ", ".join(
        f"{logs[size].rows:,}" for size in (SMALL, MIDDLE, LARGE)
    )
    report = Report(f"{title} rows", rows, NOTES, _environment())
    print_report(report, console)
    report.write(folder / "features.json")


def _take_turns(
    names: Sequence[str], log: Log, out_dir: Path, repeats: int, console: Console
) -> Runs:
    """Runs contestants A B, B A, A B, ..., and compares what they wrote at first."""
    folders = dict.fromkeys(names, log.folder)
    if MAPPED in names:
        folders[MAPPED] = renamed_log(log).folder
    for place in {*folders.values()}:
        _read_once(place)
    runs: Runs = defaultdict(list)
    for turn in range(repeats):
        order = [name for name in names if name != ELEMENT_WISE or turn == 0]
        outputs = {}
        for name in order if turn % 2 == 0 else reversed(order):
            done = run(name, folders[name], out_dir)
            runs[name].append(done)
            console.print(
                f"{log.rows:>9,} rows  {name:22s} {done.seconds:7.2f} s  "
                f"{done.peak_bytes / GB:5.2f} GB",
                style="dim",
                highlight=False,
            )
            if turn == 0:
                outputs[name] = written(out_dir)
        for with_rates in (False, True):
            alike = {
                n: w for n, w in outputs.items() if (n in WITH_RATES) == with_rates
            }
            check_same(alike)
    return runs


def _read_once(folder: Path) -> None:
    """Brings the files into the page cache for all alike."""
    for file in folder.glob("*.parquet"):
        file.read_bytes()


def _ratio_rows(runs: dict[int, Runs]) -> list[Row]:
    middle, large = runs[MIDDLE], runs[LARGE]
    faster, times = FASTER_THAN_ELEMENT_WISE, TIMES_POLARS
    return [
        _ratio_row("1 M rows", middle, ELEMENT_WISE, IN_BEAM, faster, True),
        _ratio_row("1 M rows", middle, ELEMENT_WISE, IN_THREADS),
        _ratio_row("4 M rows", large, IN_THREADS, POLARS, times),
        _ratio_row("4 M rows", large, IN_BEAM, POLARS),
        _ratio_row("4 M rows", large, MAPPED, IN_THREADS, WITH_A_MAPPING),
        _ratio_row("1 M rows", middle, IN_THREADS, POLARS),
        _ratio_row("1 M rows", middle, IN_BEAM, POLARS),
        _ratio_row("4 M rows", large, THREADS_WITH_RATES, IN_THREADS, RATES_TIMES),
        _ratio_row("1 M rows", middle, THREADS_WITH_RATES, IN_THREADS),
        _ratio_row(
            "4 M rows",
            large,
            THREADS_WITH_RATES,
            POLARS_WITH_RATES,
            RATES_TIMES_POLARS,
        ),
    ]


def _ratio_row(
    size: str,
    runs: Runs,
    numerator: str,
    denominator: str,
    target: float | None = None,
    at_least: bool = False,
) -> Row:
    """Within each round; a contestant of one round is held against that round."""
    names = (numerator, denominator)
    rounds = min(len(runs[name]) for name in names)
    seconds = {
        name: np.array([done.seconds for done in runs[name][:rounds]]) for name in names
    }
    ratio = Rounds(seconds).ratio(numerator, denominator)
    values = {name: f"{Spread.of(seconds[name]).median:,.1f} s" for name in names}
    label = f"{size}: {numerator} / {denominator}"
    return Row(label, ratio, target, at_least, values)


def _growth_rows(runs: dict[int, Runs], logs: dict[int, Log]) -> list[Row]:
    """Time a row at the largest size over that at the smallest."""
    start = _seconds(runs[SMALLEST][IN_BEAM])
    rows = []
    for name, less, target in (
        (IN_BEAM, 0.0, GROWTH),
        (IN_BEAM, start, GROWTH),
        (IN_THREADS, 0.0, GROWTH),
        (THREADS_WITH_RATES, 0.0, GROWTH),
    ):
        per_row = {
            size: (_seconds(runs[size][name]) - less) / logs[size].rows
            for size in (SMALL, MIDDLE, LARGE)
        }
        label = f"growth a row, 0.2 M to 4 M rows: {name}"
        if less:
            label += f", less the start of Beam ({less:.2f} s)"
        values = {
            f"{size / 1e6:g} M": f"{t * 1e6:.2f} µs" for size, t in per_row.items()
        }
        growth = per_row[LARGE] / per_row[SMALL]
        rows.append(number_row(label, growth, target, at_least=False, values=values))
    return rows


def _memory_rows(runs: dict[int, Runs]) -> list[Row]:
    rows = []
    for name, target in (
        (IN_THREADS, MEMORY_GB),
        (IN_BEAM, MEMORY_GB),
        (POLARS, None),
        (THREADS_WITH_RATES, RATES_MEMORY_GB),
        (POLARS_WITH_RATES, None),
    ):
        peak = {
            size: max(done.peak_bytes for done in runs[size][name]) / GB
            for size in (SMALL, MIDDLE, LARGE)
        }
        values = {f"{size / 1e6:g} M": f"{gb:.2f} GB" for size, gb in peak.items()}
        label = f"peak memory at 4 M rows, GB: {name}"
        rows.append(
            number_row(label, peak[LARGE], target, at_least=False, values=values)
        )
    return rows


def _serving_rows(log: Log) -> list[Row]:
    rounds = transform_rounds(log.folder, BATCHES)
    rows = []
    for size in BATCHES:
        each = Spread.of(rounds.seconds[str(size)] / size * 1e6)
        values = {"a call": f"{rounds.time(str(size)).median * 1e6:,.0f} µs"}
        label = f"Transform's serving graph, µs an example: batch {size}"
        rows.append(Row(label, each, values=values))
    return rows


def _seconds(runs: list[Run]) -> float:
    return statistics.median(done.seconds for done in runs)


def _environment() -> dict[str, Any]:
    names = ("apache-beam", "pyarrow", "polars", "numpy", "tensorflow")
    machine = environment(threads=1, jit=False)
    return {
        **{name: machine[name] for name in ("date", "cpu", "cores", "python")},
        **{name: importlib.metadata.version(name) for name in names},
    }


if __name__ == "__main__":
    main()
