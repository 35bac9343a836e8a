"""A whole `poso run` on simulated logs of three sizes, component by component."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.environment import environment
from benchmarks.feature_engine import contestants
from benchmarks.feature_engine.logs import ROOT, Log, simulated_log
from benchmarks.pipeline_run.bare_work import SCORING, TRANSFORM, bare_seconds
from benchmarks.pipeline_run.two_days import SETTINGS, TwoDays, run_two_days
from benchmarks.pipeline_run.watched_run import GB, LEFT_OUT, WatchedRun, newest, watch
from benchmarks.report import Report, Row, number_row, print_report

RESULT_FILE = "trial.json"  # of ServingValidator; its module would load TensorFlow
SMALL, MIDDLE, LARGE = 150_000, 1_000_000, 4_000_000
SECONDS, GROWTH, AGAIN_S, DEMO_S, NEXT_DAY = 150.0, 4.2, 15.0, 75.0, 0.5
MEMORY_GB = {MIDDLE: 4.0, LARGE: 6.0}
WIDTH = 124
# Few steps: the training is not measured.
SETS = (
    "training.epochs=1",
    "training.batch_size=8192",
    "training.baseline=false",
    "evaluation.max_gauc_drop=1.0",
)
RUN = ("run", "--config", "configs/demo.yaml")
RUN += tuple(part for setting in SETS for part in ("--set", setting))
NOTES = [
    "a run: `poso run` in a process of its own with configs/demo.yaml and "
    f"{', '.join(SETS)}; seconds of a component are those that it prints.",
    "all but training and trial: the whole process, its imports and its printing "
    f"included, less {', '.join(LEFT_OUT)}.",
    "memory: resident memory of the process and its children, sampled ten times a "
    "second; what they share counts in each. The whole run's has training in it.",
    "bare work: of ImpressionExampleGen the engine in threads, which also writes "
    "Parquet; of Transform the graph on all examples; of Evaluator and ReportGen one "
    "model's scores of the evaluation split. Without reading examples and tracing.",
    f"two days: with {', '.join(SETTINGS)}; the first reads the log from its "
    "beginning, the second goes on from its state, vocabularies and model.",
    "run again: the same command in the same folder, nothing changed.",
]


@dataclass(frozen=True)
class Measured:
    """What was measured on one log.

    Attributes:
        log: the log.
        first: the run in an empty folder.
        again: the same command once more.
        bare: seconds of the bare work, by component.
    """

    log: Log
    first: WatchedRun
    again: WatchedRun
    bare: Mapping[str, float]


@click.command()
@click.option(
    "--rows",
    multiple=True,
    type=click.IntRange(min=1),
    default=(SMALL, MIDDLE, LARGE),
    show_default=True,
    help="Impressions of a log; targets are for these sizes.",
)
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=MIDDLE,
    show_default=True,
    help="Also run the last two days of a log of so many impressions; 0 does not.",
)
@click.option("--demo", is_flag=True, help="Also time `poso demo` in a new folder.")
@click.option(
    "--folder",
    default=ROOT / "runs" / "benchmarks",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keeps the simulated logs (about 0.2 GB) and gets pipeline.json.",
)
def main(rows: tuple[int, ...], days: int, demo: bool, folder: Path) -> None:
    """Seconds and memory of a local run's components on simulated logs.

    Each log is run in a process of its own, and once more with nothing changed. The
    figures are printed beside their targets and written to pipeline.json. Needs about
    9 GB of memory (the simulator, once) and half an hour.
    """
    console = Console(width=WIDTH)
    measured = {size: _measure(size, folder, console) for size in rows}
    found = [row for size, one in measured.items() for row in _size_rows(size, one)]
    if MIDDLE in measured and LARGE in measured:
        found.append(_growth_row(measured[MIDDLE], measured[LARGE]))
    if days:
        log = simulated_log(days, folder / "logs")
        found += _day_rows(run_two_days(log, folder / "pipeline-days", RUN))
    if demo:
        found.append(_demo_row(folder / "pipeline-demo"))
    sizes = ", ".join(f"{one.log.rows:,}" for one in measured.values())
    title = f"Local run: simulated logs of {sizes} rows"
    report = Report(title, found, NOTES, _environment())
    print_report(report, console)
    report.write(folder / "pipeline.json")


def _measure(size: int, folder: Path, console: Console) -> Measured:
    log = simulated_log(size, folder / "logs")
    out = folder / "pipeline-run"
    shutil.rmtree(out, ignore_errors=True)
    arguments = [*RUN, "--data", str(log.folder), "--out", str(out)]
    first = watch(arguments)
    _check_trial(out)
    again = watch(arguments)
    console.print(
        f"{log.rows:>9,} rows  {first.seconds:7.1f} s, again {again.seconds:5.1f} s",
        style="dim",
        highlight=False,
    )
    scoring = bare_seconds(SCORING, out)
    bare = {
        "ImpressionExampleGen": contestants.run(
            contestants.IN_THREADS, log.folder, folder / "pipeline-engine"
        ).seconds,
        "Transform": bare_seconds(TRANSFORM, out),
        "Evaluator": scoring,
        "ReportGen": scoring,
    }
    for made in (out, folder / "pipeline-engine"):
        shutil.rmtree(made)
    return Measured(log, first, again, bare)


def _check_trial(out: Path) -> None:
    """A trial that failed is run again: nothing is then measured with no change."""
    trials = out / "pipeline" / "ServingValidator" / "blessing"
    result = json.loads((newest(trials) / RESULT_FILE).read_text(encoding="utf-8"))
    if not result["passed"]:
        raise RuntimeError(
            "the model was not served in its trial, so this machine's figures would "
            f"not count: {'; '.join(result['problems'])}"
        )


def _size_rows(size: int, one: Measured) -> list[Row]:
    label, millions = f"{size / 1e6:g} M", one.log.rows / 1e6
    rows = []
    for name, part in one.first.components.items():
        values = {
            "in all": f"{part.seconds:.1f} s",
            "memory": f"{part.peak_bytes / GB:.2f} GB",
        }
        if name in one.bare:
            bare = one.bare[name]
            values["bare work"] = f"{bare:.2f} s"
            values["times that"] = f"{part.seconds / bare:.1f}"
        per_million = part.seconds / millions
        row_name = f"{label}: {name}, s a million rows"
        rows.append(number_row(row_name, per_million, values=values))
    rows += [
        number_row(
            f"{label}: all but training and trial, s",
            one.first.counted_s,
            SECONDS if size == MIDDLE else None,
            at_least=False,
            values={"whole run": f"{one.first.seconds:.1f} s"},
        ),
        number_row(
            f"{label}: peak memory, GB",
            one.first.peak_bytes / GB,
            MEMORY_GB.get(size),
            at_least=False,
        ),
        number_row(
            f"{label}: run again, s", one.again.seconds, AGAIN_S, at_least=False
        ),
    ]
    return rows


def _growth_row(middle: Measured, large: Measured) -> Row:
    return number_row(
        "all but training and trial, 4 M / 1 M",
        large.first.counted_s / middle.first.counted_s,
        GROWTH,
        at_least=False,
        values={
            "1 M": f"{middle.first.counted_s:.1f} s",
            "4 M": f"{large.first.counted_s:.1f} s",
        },
    )


def _day_rows(days: TwoDays) -> list[Row]:
    pairs = {
        "second day / first": (days.second.seconds, days.first.seconds),
        "second day / first, without training and trial": (
            days.second.counted_s,
            days.first.counted_s,
        ),
    }
    return [
        number_row(
            name,
            second / first,
            NEXT_DAY,
            at_least=False,
            values={"first": f"{first:.1f} s", "second": f"{second:.1f} s"},
        )
        for name, (second, first) in pairs.items()
    ]


def _demo_row(out: Path) -> Row:
    shutil.rmtree(out, ignore_errors=True)
    run = watch(["demo", "--out", str(out)])
    shutil.rmtree(out)
    parts = {name: f"{part.seconds:.1f} s" for name, part in run.components.items()}
    return number_row("poso demo, s", run.seconds, DEMO_S, at_least=False, values=parts)


def _environment() -> dict[str, Any]:
    names = ("tfx", "apache-beam", "pyarrow", "numpy", "tensorflow")
    machine = environment(threads=1, jit=False)
    return {
        **{name: machine[name] for name in ("date", "cpu", "cores", "python")},
        **{name: importlib.metadata.version(name) for name in names},
    }


if __name__ == "__main__":
    main()
